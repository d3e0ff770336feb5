// attack: Revives JSON that is nested deeper than the stack.
// limit: none
// ends: function_error/thrown
export default () => JSON.parse("[".repeat(50_000) + "]".repeat(50_000), (_, value) => value);
