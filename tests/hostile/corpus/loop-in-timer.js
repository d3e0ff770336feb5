// attack: Waits, and loops in a timer meanwhile.
// limit: cpu
// ends: cpu_limit
export default () => new Promise(() => setTimeout(() => { for (;;); }, 1));
