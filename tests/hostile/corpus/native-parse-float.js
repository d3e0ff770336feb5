// attack: Reads a number of a million digits, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const s = "1".repeat(1_000_000) + "e-999999"; for (;;) parseFloat(s); };
