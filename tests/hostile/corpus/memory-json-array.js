// attack: The JSON form of four thousand million holes.
// limit: none
// ends: memory_limit
export default () => new Array(2 ** 32 - 1);
