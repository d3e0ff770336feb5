// attack: Makes a host call of three million characters.
// limit: none
// ends: output "too_large"
export default async () => { try { await r3e.store.set("k", "x".repeat(3_000_000)); } catch (error) { return error.code; } };
