// attack: Makes host calls from timers.
// limit: none
// ends: host_call_limit
export default () => new Promise(() => { setInterval(() => { for (let i = 0; i < 10; i++) r3e.store.get("k"); }, 1); });
