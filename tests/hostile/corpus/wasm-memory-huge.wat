;; attack: Begins with all the memory that 32 bits address.
;; limit: none
;; ends: memory_limit
(module
  (memory (export "memory") 65536)
  (func (export "_start")))
