// attack: Writes JSON with a replacer that never ends.
// limit: cpu
// ends: cpu_limit
export default () => JSON.stringify([1], () => { for (;;); });
