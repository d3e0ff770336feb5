// attack: Reverses an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.reverse.call({ length: 2 ** 53 - 1 });
