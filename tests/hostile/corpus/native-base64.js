// attack: Encodes and decodes a long text, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const s = "x".repeat(2 ** 21); for (;;) atob(btoa(s)); };
