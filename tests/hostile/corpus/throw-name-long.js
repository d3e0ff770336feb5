// attack: Throws an error whose name has ten million characters.
// limit: none
// ends: function_error/thrown
export default () => { const e = new Error("x"); e.name = "N".repeat(10_000_000); throw e; };
