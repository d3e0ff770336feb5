// attack: Makes an array of four thousand million holes.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => Array.from({ length: 2 ** 32 - 1 }).length;
