// attack: Hashes a large buffer, over and over.
// limit: cpu
// ends: cpu_limit
export default async () => { const data = new Uint8Array(2 ** 21); for (;;) await crypto.subtle.digest("SHA-512", data); };
