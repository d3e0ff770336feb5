// attack: Parses ten million brackets.
// limit: none
// ends: function_error/thrown
export default () => JSON.parse("[".repeat(10_000_000));
