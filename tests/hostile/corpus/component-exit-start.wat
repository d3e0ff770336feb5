;; attack: A component says that it ended well before it was called.
;; limit: none
;; ends: function_error
(component
  (import "wasi:cli/exit@0.2.0" (instance $exit (export "exit" (func (param "status" (result))))))
  (core module $memory
    (memory (export "memory") 4)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
  (core instance $memory (instantiate $memory))
  (core func $end (canon lower (func $exit "exit")))
  (core module $m
    (import "memory" "memory" (memory 4))
    (import "host" "end" (func $end (param i32)))
    (func $first (call $end (i32.const 0)))
    (start $first)
    (func (export "handle") (param i32 i32) (result i32) (i32.const 128)))
  (core instance $i (instantiate $m
    (with "memory" (instance $memory))
    (with "host" (instance (export "end" (func $end))))))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $memory "memory")) (realloc (core func $memory "cabi_realloc")))))
