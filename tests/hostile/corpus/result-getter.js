// attack: Returns an object whose getter throws.
// limit: none
// ends: function_error/result_not_json
export default () => ({ get a() { throw new RangeError("getter"); } });
