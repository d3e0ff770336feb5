// attack: Is rejected with a proxy that throws.
// limit: none
// ends: function_error/thrown
export default () => Promise.reject(new Proxy(function () {}, { get() { throw new Error("trap"); } }));
