;; attack: Begins with a table of a hundred million elements.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (table 100000000 funcref)
  (func (export "_start")))
