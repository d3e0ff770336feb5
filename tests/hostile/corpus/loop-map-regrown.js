// attack: Iterates over a map whose entry is taken out and put back.
// limit: cpu
// ends: cpu_limit
export default () => { const m = new Map([[0, 0]]); for (const [k] of m) { m.delete(k); m.set(k + 1, 0); } };
