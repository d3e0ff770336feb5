;; attack: Calls through an element that a table has not.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (table 1 funcref)
  (func (export "_start") (call_indirect (i32.const 0x7fffffff))))
