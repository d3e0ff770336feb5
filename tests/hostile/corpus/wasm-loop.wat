;; attack: Never ends, without a call that anybody could interrupt.
;; limit: cpu
;; ends: cpu_limit
(module
  (memory (export "memory") 1)
  (func (export "_start") (loop $again (br $again))))
