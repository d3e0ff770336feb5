// attack: Makes a text of an object that never gives one.
// limit: cpu
// ends: cpu_limit
export default () => `${{ toString() { for (;;); } }}`;
