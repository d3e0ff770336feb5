;; attack: Takes all memory that it gets and aborts, as a program does whose allocation failed.
;; limit: none
;; ends: memory_limit
(module
  (memory (export "memory") 1)
  (func (export "_start")
    (loop $again
      (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))
      (memory.fill (i32.const 0) (i32.const 1) (i32.shl (memory.size) (i32.const 16)))
      (br $again))))
