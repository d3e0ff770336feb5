// attack: Compiles a power of a power, a million times.
// limit: none
// ends: function_error/thrown
export default () => new Function("return " + "1**".repeat(1_000_000) + "1");
