// attack: Makes a WebAssembly memory of four gigabytes.
// limit: none
// ends: function_error/thrown
export default () => new WebAssembly.Memory({ initial: 65_536 }).buffer.byteLength;
