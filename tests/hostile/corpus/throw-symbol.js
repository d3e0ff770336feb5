// attack: Throws a symbol.
// limit: none
// ends: function_error/thrown
export default () => { throw Symbol("thrown"); };
