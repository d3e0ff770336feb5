// attack: Hands detached, shrunk and foreign buffers to every native.
// limit: none
// ends: output "unharmed"
export default async () => {
  const shrinking = new ArrayBuffer(64, { maxByteLength: 128 });
  const view = new Uint8Array(shrinking, 32, 32);
  shrinking.resize(8);
  const detached = new Uint8Array(16);
  detached.buffer.transfer?.();
  const odd = [view, detached, new DataView(new ArrayBuffer(0)), {}, null, 1, "x", [], new Proxy(new Uint8Array(4), {})];
  for (const value of odd) {
    for (const use of [
      (x) => crypto.getRandomValues(x), (x) => crypto.subtle.digest("SHA-256", x), (x) => new TextDecoder().decode(x),
      (x) => new TextEncoder().encodeInto("abc", x), (x) => new Response(x).text(), (x) => crypto.subtle.digest(x, view),
    ]) {
      try { await use(value); } catch {}
    }
  }
  return "unharmed";
};
