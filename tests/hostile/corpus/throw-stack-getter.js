// attack: Throws an error whose stack is read by code of its own.
// limit: none
// ends: function_error/thrown
export default () => { const e = new Error("x"); Object.defineProperty(e, "stack", { get() { return r3e.store.get("k"); } }); throw e; };
