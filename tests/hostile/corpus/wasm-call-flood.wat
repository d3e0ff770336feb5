;; attack: Asks the appliance without end.
;; limit: none
;; ends: host_call_limit
(module
  (import "r3e" "call" (func $call (param i32 i32) (result i32)))
  (import "r3e" "read" (func $read (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "{\"op\":\"store_get\",\"key\":\"a\"}")
  (func (export "_start")
    (loop $again (drop (call $call (i32.const 64) (i32.const 28))) (br $again))))
