// attack: Parses a URL of an object that never becomes text.
// limit: cpu
// ends: cpu_limit
export default () => new URL({ toString() { for (;;); } });
