// attack: Splits a text into a piece for each character.
// limit: none
// ends: memory_limit
export default () => "x".repeat(20_000_000).split("").length;
