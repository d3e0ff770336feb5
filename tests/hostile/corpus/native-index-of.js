// attack: Looks for a place in an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1);
