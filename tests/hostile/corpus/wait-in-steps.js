// attack: Waits in steps of a millisecond.
// limit: wall
// ends: timeout
export default async () => { for (;;) await new Promise((resolve) => setTimeout(resolve, 1)); };
