;; attack: Exports no memory.
;; limit: none
;; ends: load_error/module
(module
  (func (export "_start")))
