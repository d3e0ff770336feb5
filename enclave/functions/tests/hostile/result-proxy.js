// Returns a proxy that throws.
export default () => new Proxy({}, { ownKeys() { throw new Error("trap"); } });
