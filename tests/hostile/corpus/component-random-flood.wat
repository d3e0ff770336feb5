;; attack: A component asks for more randomness than there is memory anywhere.
;; limit: none
;; ends: function_error
(component
  (import "wasi:random/random@0.2.0" (instance $random
    (export "get-random-bytes" (func (param "len" u64) (result (list u8))))))
  (core module $memory
    (memory (export "memory") 4)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
  (core instance $memory (instantiate $memory))
  (core func $bytes (canon lower (func $random "get-random-bytes") (memory (core memory $memory "memory")) (realloc (core func $memory "cabi_realloc"))))
  (core module $m
    (import "memory" "memory" (memory 4))
    (import "host" "bytes" (func $bytes (param i64 i32)))
    (func (export "handle") (param i32 i32) (result i32)
      (call $bytes (i64.const -1) (i32.const 64))
      (i32.const 128)))
  (core instance $i (instantiate $m
    (with "memory" (instance $memory))
    (with "host" (instance (export "bytes" (func $bytes))))))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $memory "memory")) (realloc (core func $memory "cabi_realloc")))))
