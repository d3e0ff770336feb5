;; attack: Draws the same randomness as its neighbour.
;; limit: none
;; ends: output
;; again: differ
(module
  (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  (func $put (param $at i32) (param $length i32)
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (local.get $length))
    (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
  (func (export "_start")
    (local $n i32)
    (drop (call $random_get (i32.const 128) (i32.const 18)))
    (loop $again
      (i32.store8 offset=128 (local.get $n)
        (i32.add (i32.const 49) (i32.rem_u (i32.load8_u offset=128 (local.get $n)) (i32.const 9))))
      (local.set $n (i32.add (local.get $n) (i32.const 1)))
      (br_if $again (i32.lt_u (local.get $n) (i32.const 18))))
    (call $put (i32.const 128) (i32.const 18))))
