// attack: Reads a rope at one place after each of many additions.
// limit: cpu
// ends: cpu_limit
export default () => { let s = "x".repeat(1 << 20); for (;;) { s = "y" + s.slice(0, 1 << 20); s.charCodeAt(s.length >> 1); } };
