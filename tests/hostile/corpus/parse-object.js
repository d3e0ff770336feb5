// attack: Compiles a million objects inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("return " + "{a:".repeat(1_000_000));
