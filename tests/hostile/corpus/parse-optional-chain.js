// attack: Compiles an optional chain of a million links.
// limit: cpu
// ends: output null
// ends: function_error/thrown
// ends: cpu_limit
// ends: memory_limit
export default () => new Function("a", "return a" + "?.a".repeat(1_000_000))(undefined);
