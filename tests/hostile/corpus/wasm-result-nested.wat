;; attack: Gives a result that is nested deeper than its reader goes.
;; limit: none
;; ends: function_error/result_not_json
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $put (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (memory.fill (i32.const 64) (i32.const 91) (i32.const 30000))
    (memory.fill (i32.const 30064) (i32.const 93) (i32.const 30000))
    (call $put (i32.const 64) (i32.const 60000))))
