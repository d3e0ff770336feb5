// attack: Repeats the empty string two thousand million times.
// limit: cpu
// ends: output ""
// ends: cpu_limit
export default () => "".repeat(2 ** 31 - 1);
