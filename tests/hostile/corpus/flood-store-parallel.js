// attack: Writes large values at once.
// limit: none
// ends: host_call_limit
// ends: memory_limit
export default () => Promise.all(Array.from({ length: 200 }, (_, i) => r3e.store.set(`k${i}`, "x".repeat(100_000))));
