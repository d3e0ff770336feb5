// attack: Replaces each character by all that stands before it.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => "x".repeat(100_000).replace(/x/g, "$`$`$`$`").length;
