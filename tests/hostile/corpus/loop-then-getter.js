// attack: Awaits an object whose then is never got.
// limit: cpu
// ends: cpu_limit
export default async () => { await { get then() { for (;;); } }; };
