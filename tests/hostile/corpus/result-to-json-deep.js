// attack: Its JSON form has itself in it, without end.
// limit: none
// ends: function_error/result_not_json
export default () => ({ toJSON() { return { next: { toJSON: this.toJSON } }; } });
