// attack: Slices four thousand million elements out of an object that has none.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => Array.prototype.slice.call({ length: 2 ** 32 - 1 }).length;
