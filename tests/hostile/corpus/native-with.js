// attack: Copies four thousand million holes to change one.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => Array.prototype.with.call({ length: 2 ** 32 - 1 }, 0, 1).length;
