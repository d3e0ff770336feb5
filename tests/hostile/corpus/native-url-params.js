// attack: Sorts the parameters of a long query, over and over.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => { const p = new URLSearchParams("b=1&a=2&".repeat(50_000)); for (;;) { p.append("c", "3"); p.sort(); } };
