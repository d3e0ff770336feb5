// attack: Compiles a chain of a million assignments.
// limit: none
// ends: function_error/thrown
export default () => new Function("let a;" + "a=".repeat(1_000_000) + "1");
