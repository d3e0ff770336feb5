// attack: Aborts, with a listener that never ends.
// limit: cpu
// ends: cpu_limit
export default () => { const c = new AbortController(); c.signal.addEventListener("abort", () => { for (;;); }); c.abort(); };
