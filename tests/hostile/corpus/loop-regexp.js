// attack: Catastrophic backtracking, inside one native call.
// limit: cpu
// ends: cpu_limit
export default () => /^(a+)+$/.test("a".repeat(64) + "!");
