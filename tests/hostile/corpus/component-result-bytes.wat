;; attack: A component's result is no text.
;; limit: none
;; ends: function_error
(component
  (core module $m
    (memory (export "memory") 4)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "handle") (param i32 i32) (result i32)
      (i32.store8 (i32.const 16) (i32.const 255))
      (i32.store (i32.const 132) (i32.const 16))
      (i32.store (i32.const 136) (i32.const 1))
      (i32.const 128)))
  (core instance $i (instantiate $m))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))
