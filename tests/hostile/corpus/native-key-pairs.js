// attack: Makes pairs of keys, over and over.
// limit: cpu
// ends: cpu_limit
export default async () => { for (;;) await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-384" }, true, ["sign"]); };
