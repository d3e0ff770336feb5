;; A fee in basis points: {"amount":12345,"bp":25} gives 30. Numbers are whole and not negative; what is missing is 0.
;;
;; By hand, to show all that a function is given. A compiler of Rust, C, Zig or TinyGo writes the same imports.
(module
  (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
  (memory (export "memory") 1)
  ;; 0: a buffer's address and length, 8: how much was read or written, 64: the result, 1024: the event.
  (data (i32.const 32) "\"amount\"")
  (data (i32.const 40) "\"bp\"")

  ;; Whether the $length bytes at $one are those at $other.
  (func $same (param $one i32) (param $other i32) (param $length i32) (result i32)
    (loop $next
      (if (i32.eqz (local.get $length)) (then (return (i32.const 1))))
      (if (i32.ne (i32.load8_u (local.get $one)) (i32.load8_u (local.get $other)))
        (then (return (i32.const 0))))
      (local.set $one (i32.add (local.get $one) (i32.const 1)))
      (local.set $other (i32.add (local.get $other) (i32.const 1)))
      (local.set $length (i32.sub (local.get $length) (i32.const 1)))
      (br $next))
    (unreachable))

  ;; The number after the first key that stands at $key, in the event up to $end.
  (func $number (param $key i32) (param $key_length i32) (param $end i32) (result i64)
    (local $at i32) (local $byte i32) (local $value i64)
    (local.set $at (i32.const 1024))
    (block $found
      (loop $look
        (if (i32.ge_u (i32.add (local.get $at) (local.get $key_length)) (local.get $end))
          (then (return (i64.const 0))))
        (br_if $found (call $same (local.get $at) (local.get $key) (local.get $key_length)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (br $look)))
    (local.set $at (i32.add (local.get $at) (local.get $key_length)))
    (loop $digits
      (local.set $byte (i32.load8_u (local.get $at)))
      (local.set $at (i32.add (local.get $at) (i32.const 1)))
      ;; The colon, and blanks around it.
      (br_if $digits (i32.or (i32.eq (local.get $byte) (i32.const 58)) (i32.eq (local.get $byte) (i32.const 32))))
      (if (i32.lt_u (i32.sub (local.get $byte) (i32.const 48)) (i32.const 10))
        (then
          (local.set $value
            (i64.add
              (i64.mul (local.get $value) (i64.const 10))
              (i64.extend_i32_u (i32.sub (local.get $byte) (i32.const 48)))))
          (br $digits))))
    (local.get $value))

  (func (export "_start")
    (local $end i32) (local $fee i64) (local $at i32)
    ;; The event is standard input.
    (i32.store (i32.const 0) (i32.const 1024))
    (i32.store (i32.const 4) (i32.const 60000))
    (drop (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (local.set $end (i32.add (i32.const 1024) (i32.load (i32.const 8))))
    (local.set $fee
      (i64.div_u
        (i64.mul
          (call $number (i32.const 32) (i32.const 8) (local.get $end))
          (call $number (i32.const 40) (i32.const 4) (local.get $end)))
        (i64.const 10000)))
    ;; Decimal digits, from the last.
    (local.set $at (i32.const 96))
    (loop $digits
      (local.set $at (i32.sub (local.get $at) (i32.const 1)))
      (i32.store8 (local.get $at)
        (i32.add (i32.const 48) (i32.wrap_i64 (i64.rem_u (local.get $fee) (i64.const 10)))))
      (local.set $fee (i64.div_u (local.get $fee) (i64.const 10)))
      (br_if $digits (i64.ne (local.get $fee) (i64.const 0))))
    ;; The result is standard output.
    (i32.store (i32.const 0) (local.get $at))
    (i32.store (i32.const 4) (i32.sub (i32.const 96) (local.get $at)))
    (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))
