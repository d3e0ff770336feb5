// attack: Returns a BigInt.
// limit: none
// ends: function_error/result_not_json
export default () => 1n;
