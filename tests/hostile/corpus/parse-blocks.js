// attack: Compiles a million blocks.
// limit: none
// ends: function_error/thrown
export default () => new Function("{".repeat(1_000_000));
