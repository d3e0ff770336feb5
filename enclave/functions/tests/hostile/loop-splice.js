// Splices an object that claims the greatest length there is.
export default () => Array.prototype.splice.call({ length: 2 ** 53 - 1, 9007199254740990: 1 }, 0, 1);
