// Catastrophic backtracking, inside one native call.
export default () => /^(a+)+$/.test("a".repeat(64) + "!");
