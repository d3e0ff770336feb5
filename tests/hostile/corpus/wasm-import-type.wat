;; attack: Imports a function of WASI by another type.
;; limit: none
;; ends: load_error/module
(module
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i64) (result i64)))
  (memory (export "memory") 1)
  (func (export "_start") (drop (call $write (i64.const 0)))))
