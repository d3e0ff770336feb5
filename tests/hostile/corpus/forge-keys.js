// attack: Passes plain objects and proxies off as keys.
// limit: none
// ends: output []
export default async () => {
  const taken = [];
  const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const fakes = [{ ...key }, Object.create(key), new Proxy(key, {}), Object.create(CryptoKey.prototype), { type: "secret", extractable: true, algorithm: { name: "HMAC" }, usages: ["sign"] }];
  for (let i = 0; i < fakes.length; i++) {
    try { await crypto.subtle.sign("HMAC", fakes[i], new Uint8Array(1)); taken.push(i); } catch {}
    try { await crypto.subtle.exportKey("raw", fakes[i]); taken.push(i); } catch {}
  }
  try { await crypto.subtle.exportKey("raw", key); taken.push("not extractable"); } catch {}
  return taken;
};
