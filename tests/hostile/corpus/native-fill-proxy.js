// attack: Fills an object that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.fill.call(new Proxy({ length: 2 ** 53 - 1 }, { set: () => true }), 0);
