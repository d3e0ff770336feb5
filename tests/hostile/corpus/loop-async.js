// attack: Never returns, one microtask at a time.
// limit: cpu
// ends: cpu_limit
export default async () => { for (;;) await null; };
