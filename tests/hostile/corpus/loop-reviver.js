// attack: Parses JSON with a reviver that never ends.
// limit: cpu
// ends: cpu_limit
export default () => JSON.parse("[1]", () => { for (;;); });
