// attack: Asks a proxy that never says whether it has a key.
// limit: cpu
// ends: cpu_limit
export default () => "x" in new Proxy({}, { has() { for (;;); } });
