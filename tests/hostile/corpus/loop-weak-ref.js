// attack: Watches weak references for ever, without letting anything be collected.
// limit: cpu
// ends: cpu_limit
export default () => { for (;;) { const kept = {}; const r = new WeakRef(kept); while (r.deref() && Math.random() < 0.999); } };
