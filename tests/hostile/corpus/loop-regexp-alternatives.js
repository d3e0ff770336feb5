// attack: Backtracks over alternatives that overlap.
// limit: cpu
// ends: cpu_limit
export default () => /^(a|aa|aaa)+$/.test("a".repeat(80) + "!");
