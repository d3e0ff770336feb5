// attack: Copies all but one of four thousand million holes.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => Array.prototype.toSpliced.call({ length: 2 ** 32 - 1 }, 0, 1).length;
