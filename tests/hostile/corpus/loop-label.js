// attack: Continues an outer loop from an inner one.
// limit: cpu
// ends: cpu_limit
export default () => { outer: for (;;) { for (;;) continue outer; } };
