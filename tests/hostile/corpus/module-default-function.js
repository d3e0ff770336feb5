// attack: Exports the constructor of functions.
// limit: none
// ends: function_error/thrown
// ends: function_error/result_not_json
export default Function;
