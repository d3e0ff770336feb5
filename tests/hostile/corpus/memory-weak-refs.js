// attack: Makes weak references without end.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) { const o = { all }; all.push(o, new WeakRef(o)); } };
