// attack: Raises a number to a power with millions of digits.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => { for (let e = 1n << 18n;; e *= 2n) 7n ** e; };
