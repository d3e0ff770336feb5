// attack: Searches a large typed array for what it has not, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const a = new Uint8Array(2 ** 24); for (;;) a.lastIndexOf(7); };
