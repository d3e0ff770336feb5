// attack: Compiles a million conditional expressions inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("return " + "1?".repeat(1_000_000) + "1" + ":1".repeat(1_000_000));
