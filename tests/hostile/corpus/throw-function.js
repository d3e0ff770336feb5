// attack: Throws a function whose name is a getter.
// limit: none
// ends: function_error/thrown
export default () => { throw Object.defineProperty(() => 1, "name", { get() { throw 1; } }); };
