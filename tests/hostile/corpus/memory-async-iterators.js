// attack: Suspends asynchronous generators without end.
// limit: none
// ends: memory_limit
export default async () => { const all = []; for (;;) { const g = (async function* () { yield all; })(); all.push(g); g.next(); } };
