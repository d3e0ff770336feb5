// attack: Hashes a buffer whose class never comes.
// limit: cpu
// ends: cpu_limit
// ends: function_error/thrown
export default () => crypto.subtle.digest("SHA-256", new Proxy(new Uint8Array(1), { get() { for (;;); }, getPrototypeOf() { for (;;); } }));
