// attack: Compares long texts that differ at their end, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const s = "\u00e9".repeat(1_000_000); for (;;) (s + "a").localeCompare(s + "b"); };
