// attack: Throws an error whose stack has ten million characters.
// limit: none
// ends: function_error/thrown
export default () => { const e = new Error("x"); e.stack = "at x\n".repeat(2_000_000); throw e; };
