// attack: Resolves, and loops in the microtask after that.
// limit: cpu
// ends: cpu_limit
// ends: output 1
export default async () => { queueMicrotask(() => queueMicrotask(() => { for (;;); })); return 1; };
