// attack: Moves a buffer into ever larger ones.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { let b = new ArrayBuffer(1); for (let n = 1;; n *= 2) { b = b.transfer(n); new Uint8Array(b).fill(1); } };
