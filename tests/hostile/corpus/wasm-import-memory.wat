;; attack: Imports a memory.
;; limit: none
;; ends: load_error/module
(module
  (import "env" "memory" (memory 1))
  (export "memory" (memory 0))
  (func (export "_start")))
