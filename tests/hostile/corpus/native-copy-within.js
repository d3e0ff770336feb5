// attack: Copies within an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 1);
