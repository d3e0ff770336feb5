// Starts promises without end.
export default async () => { const all = []; for (;;) all.push((async () => { await all; })()); };
