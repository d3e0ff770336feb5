// attack: Throws undefined.
// limit: none
// ends: function_error/thrown
export default () => { throw undefined; };
