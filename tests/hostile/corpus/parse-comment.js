// attack: Compiles a comment that does not end.
// limit: none
// ends: function_error/thrown
export default () => new Function("/*" + "*".repeat(10_000_000));
