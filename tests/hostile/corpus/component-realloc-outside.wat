;; attack: A component has its event written to where it has no memory.
;; limit: none
;; ends: function_error
(component
  (core module $m
    (memory (export "memory") 4)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const -256))
    (func (export "handle") (param i32 i32) (result i32)
      (i32.const 128)))
  (core instance $i (instantiate $m))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))
