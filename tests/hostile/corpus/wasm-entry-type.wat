;; attack: Has an entry with a parameter.
;; limit: none
;; ends: load_error/no_handler
(module
  (memory (export "memory") 1)
  (func (export "_start") (param i32)))
