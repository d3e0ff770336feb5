// attack: Takes the first of an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.shift.call({ length: 2 ** 53 - 1 });
