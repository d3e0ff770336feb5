// attack: Starts promises without end.
// limit: none
// ends: memory_limit
export default async () => { const all = []; for (;;) all.push((async () => { await all; })()); };
