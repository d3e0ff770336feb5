// attack: Concatenates arrays that spread proxies of great length.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => { const p = new Proxy([], { get: (t, k) => (k === "length" ? 2 ** 52 : k === Symbol.isConcatSpreadable ? true : undefined), has: () => false }); return [].concat(p, p).length; };
