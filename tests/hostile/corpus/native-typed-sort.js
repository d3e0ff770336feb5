// attack: Sorts a large typed array, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const a = new Float64Array(2 ** 21); for (;;) { for (let i = 0; i < a.length; i += 7) a[i] = i * 7919 % 10007; a.sort(); } };
