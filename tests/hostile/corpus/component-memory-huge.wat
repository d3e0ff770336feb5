;; attack: A component begins with all the memory that 32 bits address.
;; limit: none
;; ends: memory_limit
(component
  (core module $m
    (memory (export "memory") 65536)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "handle") (param i32 i32) (result i32)
      (i32.const 128)))
  (core instance $i (instantiate $m))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))
