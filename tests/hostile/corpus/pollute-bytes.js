// attack: Replaces what buffers and views are made of, and hashes.
// limit: none
// ends: output "s3cret"
export default async () => {
  const typed = Object.getPrototypeOf(Uint8Array);
  for (const key of ["buffer", "byteLength", "byteOffset", "length"]) {
    try { Object.defineProperty(typed.prototype, key, { get() { return 2 ** 40; } }); } catch {}
    try { Object.defineProperty(ArrayBuffer.prototype, key, { get() { return 2 ** 40; } }); } catch {}
  }
  typed.prototype.set = typed.prototype.subarray = typed.prototype.slice = () => { throw new Error("mine now"); };
  typed.from = typed.of = () => { throw new Error("mine now"); };
  await crypto.subtle.digest("SHA-256", new TextEncoder().encode("x"));
  crypto.getRandomValues(new Uint8Array(16));
  return r3e.secrets.get("name");
};
