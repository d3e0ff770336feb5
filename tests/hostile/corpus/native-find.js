// attack: Asks about each element of an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.find.call({ length: 2 ** 53 - 1 }, () => false);
