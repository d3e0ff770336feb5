// attack: Spreads ten million arguments.
// limit: none
// ends: memory_limit
export default () => Math.max(...new Array(10_000_000).fill(1));
