// attack: Replaces each of a million characters by a thousand.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => "a".repeat(1_000_000).replaceAll("a", "b".repeat(1000)).length;
