// attack: Returns objects nested through toJSON of each other.
// limit: none
// ends: function_error/result_not_json
export default () => { const make = (n) => ({ toJSON: () => (n === 0 ? 1 : [make(n - 1)]) }); return make(50_000); };
