;; attack: A component exports an entry of another type.
;; limit: none
;; ends: load_error/module
(component
  (core module $m (func (export "handle") (result i32) (i32.const 0)))
  (core instance $i (instantiate $m))
  (func (export "handle") (result u32) (canon lift (core func $i "handle"))))
