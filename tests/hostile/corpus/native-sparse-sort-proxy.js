// attack: Sorts a proxy that has something at every place of the greatest length.
// limit: cpu
// ends: cpu_limit
export default () => Array.prototype.sort.call(new Proxy({ length: 2 ** 32 - 1 }, { has: () => false }));
