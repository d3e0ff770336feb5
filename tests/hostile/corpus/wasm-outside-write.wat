;; attack: Writes right behind its memory.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (func (export "_start") (i32.store (i32.const 65533) (i32.const 7))))
