// attack: Copies from a proxy whose descriptors never come.
// limit: cpu
// ends: cpu_limit
export default () =>
  Object.assign({}, new Proxy({ a: 1 }, { getOwnPropertyDescriptor() { for (;;); } }));
