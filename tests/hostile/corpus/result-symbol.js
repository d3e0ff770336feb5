// attack: Returns a symbol.
// limit: none
// ends: function_error/result_not_json
export default () => Symbol("s");
