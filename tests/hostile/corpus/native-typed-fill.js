// attack: Fills a large typed array, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const a = new Uint8Array(2 ** 24); for (;;) a.fill(1); };
