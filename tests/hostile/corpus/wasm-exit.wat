;; attack: Exits with a status of failure.
;; limit: none
;; ends: function_error/thrown
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const 7))))
