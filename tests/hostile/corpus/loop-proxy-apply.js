// attack: Exports a proxy whose call never ends.
// limit: cpu
// ends: cpu_limit
export default new Proxy(() => 1, { apply() { for (;;); } });
