;; attack: A component logs all of its memory without end.
;; limit: cpu
;; ends: cpu_limit
(component
  (import "r3e:functions/log@1.0.0" (instance $log (export "info" (func (param "text" string)))))
  (core module $memory
    (memory (export "memory") 4)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
  (core instance $memory (instantiate $memory))
  (core func $info (canon lower (func $log "info") (memory (core memory $memory "memory"))))
  (core module $m
    (import "memory" "memory" (memory 4))
    (import "host" "info" (func $info (param i32 i32)))
    (func (export "handle") (param i32 i32) (result i32)
      (loop $again (call $info (i32.const 0) (i32.const 262144)) (br $again))
      (i32.const 128)))
  (core instance $i (instantiate $m
    (with "memory" (instance $memory))
    (with "host" (instance (export "info" (func $info))))))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $memory "memory")) (realloc (core func $memory "cabi_realloc")))))
