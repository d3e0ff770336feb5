;; attack: Reads the clock until it shows less than a millisecond.
;; limit: none
;; ends: output 0
(module
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $put (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func $number (param $n i32)
    (i32.store8 (i32.const 16) (i32.add (i32.const 48) (i32.div_u (local.get $n) (i32.const 10))))
    (i32.store8 (i32.const 17) (i32.add (i32.const 48) (i32.rem_u (local.get $n) (i32.const 10))))
    (if (i32.lt_u (local.get $n) (i32.const 10))
      (then (call $put (i32.const 17) (i32.const 1)))
      (else (call $put (i32.const 16) (i32.const 2)))))
  (func (export "_start")
    (local $n i32)
    (loop $again
      (drop (call $clock_time_get (i32.rem_u (local.get $n) (i32.const 2)) (i64.const 1) (i32.const 128)))
      (if (i64.ne (i64.rem_u (i64.load (i32.const 128)) (i64.const 1000000)) (i64.const 0)) (then unreachable))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 100000))))
    (call $number (i32.const 0))))
