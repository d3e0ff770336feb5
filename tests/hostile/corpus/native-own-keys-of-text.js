// attack: Lists the descriptors of a text of ten million characters.
// limit: none
// ends: memory_limit
export default () => Object.getOwnPropertyDescriptors("x".repeat(10_000_000)).length;
