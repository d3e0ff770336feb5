;; attack: Turns a number into an integer that cannot hold it.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (func (export "_start") (drop (i32.trunc_f64_u (f64.const 1e300)))))
