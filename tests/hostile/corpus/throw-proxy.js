// attack: Throws a proxy that throws.
// limit: none
// ends: function_error/thrown
export default () => { throw new Proxy({}, { get() { throw new Error("trap"); } }); };
