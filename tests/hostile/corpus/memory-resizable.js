// attack: A buffer that may grow to a terabyte, grown.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { const b = new ArrayBuffer(8, { maxByteLength: 2 ** 40 }); b.resize(2 ** 39); return b.byteLength; };
