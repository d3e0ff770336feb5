// attack: Names a property by a key that never becomes one.
// limit: cpu
// ends: cpu_limit
export default () => ({ [{ toString() { for (;;); } }]: 1 });
