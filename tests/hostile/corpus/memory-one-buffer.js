// attack: One buffer of 8 GiB.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => new Uint8Array(2 ** 33).length;
