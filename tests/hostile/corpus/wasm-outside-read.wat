;; attack: Reads beyond its memory.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (func (export "_start") (drop (i64.load offset=0xfffffff8 (i32.const 0xfffffff8)))))
