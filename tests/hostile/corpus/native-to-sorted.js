// attack: Copies and sorts four thousand million holes.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => Array.prototype.toSorted.call({ length: 2 ** 32 - 1 }).length;
