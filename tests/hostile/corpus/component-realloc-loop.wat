;; attack: A component never ends where it is asked for room for its event.
;; limit: cpu
;; ends: cpu_limit
(component
  (core module $m
    (memory (export "memory") 4)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (loop $again (br $again)) (i32.const 0))
    (func (export "handle") (param i32 i32) (result i32)
      (i32.const 128)))
  (core instance $i (instantiate $m))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $i "memory")) (realloc (core func $i "cabi_realloc")))))
