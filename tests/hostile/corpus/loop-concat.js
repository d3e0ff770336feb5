// attack: Concatenates an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.concat.call([], { length: 2 ** 53 - 2, [Symbol.isConcatSpreadable]: true }).length;
