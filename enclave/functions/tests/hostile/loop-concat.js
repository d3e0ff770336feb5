// Concatenates an object that claims the greatest length there is.
export default () => Array.prototype.concat.call([], { length: 2 ** 53 - 2, [Symbol.isConcatSpreadable]: true }).length;
