;; attack: Fills all of its memory for ever, by one long instruction after another.
;; limit: cpu
;; ends: cpu_limit
(module
  (memory (export "memory") 512)
  (func (export "_start")
    (loop $again (memory.fill (i32.const 0) (i32.const 7) (i32.const 33554432)) (br $again))))
