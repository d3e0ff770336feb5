// attack: Searches a long text for one nearly as long, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const s = "a".repeat(200_000); const t = "a".repeat(100_000) + "b"; for (;;) s.lastIndexOf(t); };
