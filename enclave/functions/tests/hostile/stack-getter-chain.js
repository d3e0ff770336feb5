// Recurses through a prototype chain of getters.
export default () => { const o = {}; Object.defineProperty(o, "x", { get() { return this.x; } }); return o.x; };
