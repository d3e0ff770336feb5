// attack: Makes a shared buffer of a terabyte.
// limit: none
// ends: function_error/thrown
export default () => new SharedArrayBuffer(2 ** 40).byteLength;
