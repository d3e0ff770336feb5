// attack: Searches an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.lastIndexOf.call(new Proxy({ length: 2 ** 53 - 1 }, {}), 1);
