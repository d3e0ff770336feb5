// attack: Joins an object that claims the greatest length there is, by nothing.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => Array.prototype.join.call({ length: 2 ** 53 - 1 }, "");
