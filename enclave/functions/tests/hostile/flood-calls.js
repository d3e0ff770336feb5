// Makes host calls for ever.
export default async () => { for (;;) await r3e.store.get("k"); };
