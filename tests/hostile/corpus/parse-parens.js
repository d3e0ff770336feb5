// attack: Evaluates a million parentheses.
// limit: none
// ends: function_error/thrown
export default () => eval("(".repeat(1_000_000) + ")".repeat(1_000_000));
