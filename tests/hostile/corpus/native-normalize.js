// attack: Normalises a long text, over and over.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => { const s = "\u1e9b\u0323".repeat(500_000); for (;;) s.normalize("NFKD"); };
