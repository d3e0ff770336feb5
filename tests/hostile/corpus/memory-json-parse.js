// attack: Parses JSON that becomes thirty times its size.
// limit: none
// ends: memory_limit
export default () => JSON.parse("[" + "{},".repeat(5_000_000) + "0]").length;
