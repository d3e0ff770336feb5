// attack: Backtracks inside a look-behind.
// limit: cpu
// ends: cpu_limit
export default () => /(?<=!(?:x+x+)+)z/.test("x".repeat(60) + "z");
