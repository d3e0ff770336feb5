// attack: Returns a thenable whose then throws.
// limit: none
// ends: function_error/thrown
export default () => ({ get then() { throw new Error("then"); } });
