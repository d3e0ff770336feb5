// attack: Throws in the finally block of a return.
// limit: none
// ends: function_error/thrown
export default () => { try { return 1; } finally { throw new Error("finally"); } };
