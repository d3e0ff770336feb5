// attack: Changes the case of a long text, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const s = "\u00dfx".repeat(1_000_000); for (;;) s.toUpperCase(); };
