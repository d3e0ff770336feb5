;; attack: Writes behind a memory that grew.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (drop (memory.grow (i32.const 3)))
    (i32.store8 (i32.const 262143) (i32.const 7))
    (i32.store8 (i32.const 262144) (i32.const 7))))
