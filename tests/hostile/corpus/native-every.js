// attack: Visits the holes of an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.every.call({ length: 2 ** 53 - 1 }, () => true);
