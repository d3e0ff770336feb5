;; attack: Asks the appliance while it is being made.
;; limit: none
;; ends: output 1
(module
  (import "r3e" "call" (func $call (param i32 i32) (result i32)))
  (import "r3e" "read" (func $read (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $put (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (data (i32.const 64) "{\"op\":\"store_get\",\"key\":\"a\"}")
  (data (i32.const 200) "1")
  (func $first (drop (call $call (i32.const 64) (i32.const 28))))
  (start $first)
  (func (export "_start") (call $put (i32.const 200) (i32.const 1))))
