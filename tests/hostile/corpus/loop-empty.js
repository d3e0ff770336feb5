// attack: Never returns.
// limit: cpu
// ends: cpu_limit
export default () => { for (;;); };
