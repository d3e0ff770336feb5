// attack: Never leaves the executor of a promise.
// limit: cpu
// ends: cpu_limit
export default () => new Promise(() => { for (;;); });
