// attack: Compiles a chain of a million calls.
// limit: cpu
// ends: output 1
// ends: function_error/thrown
// ends: cpu_limit
// ends: memory_limit
export default () => { const f = () => f; return new Function("f", "return f" + "()".repeat(1_000_000) + " ? 1 : 0")(f); };
