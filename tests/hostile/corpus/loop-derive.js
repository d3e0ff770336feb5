// attack: Derives bits for as long as it takes: one call that never comes back.
// limit: cpu
// ends: cpu_limit
export default async () => {
  const key = await crypto.subtle.importKey("raw", new Uint8Array(1), "PBKDF2", false, ["deriveBits"]);
  const params = { name: "PBKDF2", hash: "SHA-512", salt: new Uint8Array(1), iterations: 2 ** 32 - 1 };
  return (await crypto.subtle.deriveBits(params, key, 512)).byteLength;
};
