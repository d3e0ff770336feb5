// attack: Repeats a string to the greatest length.
// limit: none
// ends: memory_limit
export default () => "abcdefgh".repeat(2 ** 26).split("").length;
