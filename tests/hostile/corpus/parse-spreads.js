// attack: Compiles a hundred thousand spreads inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("return " + "[...".repeat(100_000));
