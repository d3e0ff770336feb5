// Never returns, one microtask at a time.
export default async () => { for (;;) await null; };
