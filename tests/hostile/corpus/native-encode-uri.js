// attack: Encodes a long text for a URI, over and over.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => { const s = "\u20ac".repeat(300_000); for (;;) decodeURIComponent(encodeURIComponent(s)); };
