// attack: Writes to the store for ever.
// limit: none
// ends: host_call_limit
export default async () => { for (let i = 0;; i++) await r3e.store.set(`k${i}`, "x".repeat(10_000)); };
