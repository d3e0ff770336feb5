;; attack: Exports something else under the name of its memory.
;; limit: none
;; ends: load_error/module
(module
  (global (export "memory") i32 (i32.const 0))
  (func (export "_start")))
