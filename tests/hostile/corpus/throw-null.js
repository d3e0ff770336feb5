// attack: Throws null.
// limit: none
// ends: function_error/thrown
export default () => { throw null; };
