;; attack: Has no entry.
;; limit: none
;; ends: load_error/no_handler
(module
  (memory (export "memory") 1)
  (func (export "main")))
