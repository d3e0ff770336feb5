// attack: Adds to one text without end.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { let s = ""; for (;;) s += "\u20ac".repeat(1000); };
