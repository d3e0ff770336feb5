// attack: Compiles jumps over a million bytes of code.
// limit: cpu
// ends: output 1
// ends: function_error/thrown
// ends: cpu_limit
export default () => new Function("a", "while (a) {" + "a.b=1;".repeat(200_000) + "if (a) break;} return 1")({});
