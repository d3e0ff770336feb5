// attack: Returns a proxy that throws.
// limit: none
// ends: function_error/result_not_json
export default () => new Proxy({}, { ownKeys() { throw new Error("trap"); } });
