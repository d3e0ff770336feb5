;; attack: Traps.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (func (export "_start") unreachable))
