// Throws a proxy that throws.
export default () => { throw new Proxy({}, { get() { throw new Error("trap"); } }); };
