// attack: Makes ten thousand host calls at once, and waits for all whatever comes.
// limit: none
// ends: host_call_limit
// ends: memory_limit
export default async () => (await Promise.allSettled(Array.from({ length: 10_000 }, () => r3e.store.get("k")))).length;
