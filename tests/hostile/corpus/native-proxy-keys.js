// attack: Returns a million keys from a proxy, which must be told apart.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => Object.keys(new Proxy({}, { ownKeys: () => Array.from({ length: 2_000_000 }, (_, i) => `k${i}`) })).length;
