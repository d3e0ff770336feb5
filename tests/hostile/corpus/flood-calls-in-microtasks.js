// attack: Makes a host call in each microtask.
// limit: cpu
// ends: host_call_limit
// ends: cpu_limit
// ends: memory_limit
export default () => new Promise(() => { const again = () => { r3e.store.get("k").catch(() => {}); queueMicrotask(again); }; again(); });
