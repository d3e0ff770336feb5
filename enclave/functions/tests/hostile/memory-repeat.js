// Repeats a string to the greatest length.
export default () => "abcdefgh".repeat(2 ** 26).split("").length;
