// attack: Compiles a chain of a million properties.
// limit: cpu
// ends: function_error/thrown
// ends: cpu_limit
// ends: memory_limit
export default () => new Function("a", "return a" + ".a".repeat(1_000_000))({});
