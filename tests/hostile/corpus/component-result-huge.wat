;; attack: A component's result is all of its memory.
;; limit: none
;; ends: output_limit
(component
  (core module $m
    (memory (export "memory") 256)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "handle") (param i32 i32) (result i32)
      (i32.store (i32.const 132) (i32.const 0))
      (i32.store (i32.const 136) (i32.const 16777216))
      (i32.const 128)))
  (core instance $i (instantiate $m))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))
