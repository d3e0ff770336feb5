// attack: Its JSON form is a function.
// limit: none
// ends: function_error/result_not_json
export default () => ({ toJSON: () => () => 1 });
