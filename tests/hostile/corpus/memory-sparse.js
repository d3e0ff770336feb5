// attack: Writes far apart into arrays without end.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) { const a = []; a[2 ** 31] = 1; a[5] = 2; all.push(a); } };
