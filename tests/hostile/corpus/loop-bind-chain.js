// attack: Calls through a chain of getters that lead to one another, for ever.
// limit: cpu
// ends: cpu_limit
export default () => { const o = { get a() { return o; } }; let at = o; for (;;) at = at.a; };
