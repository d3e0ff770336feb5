;; attack: Calls a function by a type that it has not.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (elem (i32.const 0) $f)
  (func $f (param i64))
  (func (export "_start") (call_indirect (param i32) (i32.const 1) (i32.const 0))))
