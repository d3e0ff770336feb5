// attack: Doubles a blob without end.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { let b = new Blob(["x".repeat(1000)]); for (;;) b = new Blob([b, b]); };
