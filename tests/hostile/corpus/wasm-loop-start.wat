;; attack: Never ends while it is being made, before its entry is called.
;; limit: cpu
;; ends: cpu_limit
(module
  (memory (export "memory") 1)
  (func $first (loop $again (br $again)))
  (start $first)
  (func (export "_start")))
