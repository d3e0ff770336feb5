// attack: Backtracks inside a look-ahead.
// limit: cpu
// ends: cpu_limit
export default () => /^(?=(?:x+x+)+y)x/.test("x".repeat(60));
