// Is rejected with a proxy that throws.
export default () => Promise.reject(new Proxy(function () {}, { get() { throw new Error("trap"); } }));
