// attack: Compiles a regular expression of a million alternatives.
// limit: cpu
// ends: output false
// ends: cpu_limit
// ends: function_error/thrown
// ends: memory_limit
export default () => new RegExp(Array(1_000_000).fill("a").join("|")).test("b");
