// attack: Puts one before an object that claims nearly the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.unshift.call({ length: 2 ** 53 - 2 }, 1);
