// attack: Makes a buffer a little larger than the function's memory.
// limit: none
// ends: function_error/thrown
// ends: memory_limit
export default () => new Uint8Array(34 * 2 ** 20).fill(1).length;
