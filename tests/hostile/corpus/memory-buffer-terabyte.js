// attack: Makes a buffer of a terabyte.
// limit: none
// ends: function_error/thrown
// ends: memory_limit
export default () => new ArrayBuffer(2 ** 40).byteLength;
