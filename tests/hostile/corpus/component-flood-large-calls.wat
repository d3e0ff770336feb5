;; attack: A component makes host calls that are too long to be made, without end.
;; limit: cpu
;; ends: cpu_limit
(component
  (import "r3e:functions/types@1.0.0" (instance $types
    (type $codes (enum "denied" "expired" "invalid" "not-found" "too-large" "limit-exceeded" "timed-out" "unavailable" "conflict" "reverted" "unconfirmed" "internal"))
    (export "host-error-code" (type $code (eq $codes)))
    (type $record (record (field "code" $code) (field "message" string)))
    (export "host-error" (type (eq $record)))))
  (alias export $types "host-error" (type $error))
  (import "r3e:functions/store@1.0.0" (instance $store
    (alias outer 1 $error (type $error'))
    (export "host-error" (type $host-error (eq $error')))
    (export "set" (func (param "key" string) (param "value" string) (result (result (error $host-error)))))))
  (core module $memory
    (memory (export "memory") 64)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096)))
  (core instance $memory (instantiate $memory))
  (core func $set (canon lower (func $store "set") (memory (core memory $memory "memory")) (realloc (core func $memory "cabi_realloc"))))
  (core module $m
    (import "memory" "memory" (memory 64))
    (import "host" "set" (func $set (param i32 i32 i32 i32 i32)))
    (func (export "handle") (param i32 i32) (result i32)
      (loop $again (call $set (i32.const 0) (i32.const 2097152) (i32.const 0) (i32.const 2097152) (i32.const 64)) (br $again))
      (i32.const 128)))
  (core instance $i (instantiate $m
    (with "memory" (instance $memory))
    (with "host" (instance (export "set" (func $set))))))
  (func (export "handle") (param "event" string) (result (result string (error string)))
    (canon lift (core func $i "handle") (memory (core memory $memory "memory")) (realloc (core func $memory "cabi_realloc")))))
