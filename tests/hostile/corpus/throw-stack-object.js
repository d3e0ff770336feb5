// attack: Throws an error whose stack is an object that throws.
// limit: none
// ends: function_error/thrown
export default () => { const e = new Error("x"); Object.defineProperty(e, "stack", { value: { toString() { throw 1; } } }); throw e; };
