// attack: Returns a BigInt inside an object.
// limit: none
// ends: function_error/result_not_json
export default () => ({ a: [1n] });
