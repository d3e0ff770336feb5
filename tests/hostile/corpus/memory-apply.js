// attack: Applies a function to a million arguments.
// limit: none
// ends: function_error/thrown
export default () => String.fromCharCode.apply(null, new Array(1_000_000).fill(65)).length;
