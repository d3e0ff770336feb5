// Searches an object that claims the greatest length there is.
export default () => Array.prototype.lastIndexOf.call(new Proxy({ length: 2 ** 53 - 1 }, {}), 1);
