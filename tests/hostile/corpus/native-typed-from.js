// attack: Makes a typed array of a terabyte.
// limit: none
// ends: function_error/thrown
// ends: memory_limit
export default () => Uint8Array.from({ length: 2 ** 40 }).length;
