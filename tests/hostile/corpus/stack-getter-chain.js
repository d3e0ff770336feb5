// attack: Recurses through a prototype chain of getters.
// limit: none
// ends: function_error/thrown
export default () => { const o = {}; Object.defineProperty(o, "x", { get() { return this.x; } }); return o.x; };
