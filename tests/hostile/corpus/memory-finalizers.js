// attack: Registers finalizers for what is kept, without end.
// limit: none
// ends: memory_limit
// ends: cpu_limit
export default () => { const r = new FinalizationRegistry(() => {}); const all = []; for (;;) { const o = {}; all.push(o); r.register(o, o.all = {}); } };
