// attack: Encodes and decodes a long text as UTF-8, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const s = "\u20ac".repeat(2 ** 20); for (;;) new TextDecoder().decode(new TextEncoder().encode(s)); };
