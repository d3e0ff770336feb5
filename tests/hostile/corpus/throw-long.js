// attack: Throws an error of twenty million characters.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { throw new Error("x".repeat(20_000_000)); };
