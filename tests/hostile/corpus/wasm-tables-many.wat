;; attack: Has more tables than a program needs.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (table 90000 funcref)
  (table 90000 funcref)
  (table 90000 funcref)
  (table 90000 funcref)
  (table 90000 funcref)
  (func (export "_start")))
