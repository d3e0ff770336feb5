// attack: Splices an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.splice.call({ length: 2 ** 53 - 1, 9007199254740990: 1 }, 0, 1);
