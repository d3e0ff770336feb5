// attack: Watches weak references for ever, without letting anything be collected: which limit it meets first is a matter of the processor's speed.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => { for (;;) { const kept = {}; const r = new WeakRef(kept); while (r.deref() && Math.random() < 0.999); } };
