// attack: Evaluates a million brackets.
// limit: none
// ends: function_error/thrown
export default () => eval("[".repeat(1_000_000));
