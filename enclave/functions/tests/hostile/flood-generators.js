// Suspends generators without end.
export default () => { const all = []; for (;;) { const g = (function* () { yield all; })(); g.next(); all.push(g); } };
