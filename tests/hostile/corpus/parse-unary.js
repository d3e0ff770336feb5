// attack: Compiles a million negations.
// limit: none
// ends: function_error/thrown
export default () => eval("- ".repeat(1_000_000) + "1");
