// attack: Makes host calls for ever.
// limit: none
// ends: host_call_limit
export default async () => { for (;;) await r3e.store.get("k"); };
