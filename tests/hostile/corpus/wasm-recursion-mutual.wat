;; attack: Calls itself through a table without end, with a frame of many values.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (type $t (func (param i64) (result i64)))
  (table 1 funcref)
  (elem (i32.const 0) $down)
  (func $down (type $t)
    (i64.add (local.get 0) (call_indirect (type $t) (i64.add (local.get 0) (i64.const 1)) (i32.const 0))))
  (func (export "_start") (drop (call $down (i64.const 0)))))
