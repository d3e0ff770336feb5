// attack: Makes ten thousand host calls at once.
// limit: none
// ends: host_call_limit
// ends: memory_limit
export default () => Promise.all(Array.from({ length: 10_000 }, () => r3e.store.get("k")));
