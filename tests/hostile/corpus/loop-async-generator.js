// attack: Awaits the values of an asynchronous generator that never ends.
// limit: cpu
// ends: cpu_limit
export default async () => { for await (const _ of (async function* () { for (;;) yield 1; })()); };
