// attack: Looks through an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.includes.call({ length: 2 ** 53 - 1 }, 1);
