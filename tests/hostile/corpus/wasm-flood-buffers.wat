;; attack: Writes by more buffers than anyone has.
;; limit: none
;; ends: output 0
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 65520) "0")
  (func (export "_start")
    (drop (call $write (i32.const 1) (i32.const 16) (i32.const 0xffffffff) (i32.const 8)))
    (i32.store (i32.const 0) (i32.const 65520))
    (i32.store (i32.const 4) (i32.const 1))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
