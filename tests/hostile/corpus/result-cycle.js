// attack: Returns a cycle.
// limit: none
// ends: function_error/result_not_json
export default () => { const a = {}; a.a = [a]; return a; };
