// attack: Waits for the clock by asking it.
// limit: cpu
// ends: cpu_limit
export default () => { const end = Date.now() + 3_600_000; while (Date.now() < end); };
