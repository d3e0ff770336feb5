;; attack: Calls itself without end, in WebAssembly.
;; limit: none
;; ends: function_error/thrown
(module
  (memory (export "memory") 1)
  (func $down (export "_start") (call $down)))
