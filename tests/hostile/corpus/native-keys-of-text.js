// attack: Lists the keys of a text of fifty million characters.
// limit: none
// ends: memory_limit
export default () => Object.keys("x".repeat(50_000_000)).length;
