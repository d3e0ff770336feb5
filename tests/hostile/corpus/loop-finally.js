// attack: Returns, and never leaves the finally block.
// limit: cpu
// ends: cpu_limit
export default () => { try { return 1; } finally { for (;;); } };
