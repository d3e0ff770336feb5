// attack: Visits a set that always gets one more.
// limit: cpu
// ends: cpu_limit
export default () => { const s = new Set([0]); s.forEach((k) => { s.delete(k); s.add(k + 1); }); };
