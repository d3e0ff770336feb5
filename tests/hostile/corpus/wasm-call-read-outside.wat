;; attack: Has an answer written behind its memory.
;; limit: none
;; ends: function_error/thrown
(module
  (import "r3e" "call" (func $call (param i32 i32) (result i32)))
  (import "r3e" "read" (func $read (param i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 64) "{}")
  (func (export "_start")
    (drop (call $call (i32.const 64) (i32.const 2)))
    (drop (call $read (i32.const 65530) (i32.const 100)))))
