// attack: Suspends generators without end.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) { const g = (function* () { yield all; })(); g.next(); all.push(g); } };
