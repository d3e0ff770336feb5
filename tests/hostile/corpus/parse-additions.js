// attack: Compiles a sum of a million terms.
// limit: cpu
// ends: output 1000001
// ends: function_error/thrown
// ends: cpu_limit
export default () => new Function("return " + "1+".repeat(1_000_000) + "1")();
