;; attack: A component imports what no function is given.
;; limit: none
;; ends: load_error/module
(component
  (import "acme:system/exec@1.0.0" (instance (export "run" (func (param "command" string)))))
  (core module $m
    (memory (export "memory") 4)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
    (func (export "handle") (param i32 i32) (result i32)
      (i32.const 128)))
  (core instance $i (instantiate $m))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))
