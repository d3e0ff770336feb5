// attack: Reads dates from long texts, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const s = "1 ".repeat(500_000); for (;;) Date.parse(s); };
