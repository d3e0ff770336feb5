// attack: Copies slices of a buffer without end.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { const b = new ArrayBuffer(1 << 20); const all = []; for (;;) all.push(b.slice(0)); };
