// attack: Passes plain objects off as buffers and views, by what they say of themselves.
// limit: none
// ends: output []
export default async () => {
  const taken = [];
  const tags = ["ArrayBuffer", "DataView", "Uint8Array", "SharedArrayBuffer"];
  const shapes = [
    {}, { byteLength: 2 ** 31, byteOffset: 0, length: 2 ** 31 }, { byteLength: 64, byteOffset: -64, buffer: {} },
    { byteLength: 64, byteOffset: 2 ** 40, buffer: new ArrayBuffer(8) }, { byteLength: 1, buffer: { [Symbol.toStringTag]: "ArrayBuffer", byteLength: 1 } },
  ];
  const uses = {
    digest: (x) => crypto.subtle.digest("SHA-256", x),
    random: (x) => crypto.getRandomValues(x),
    decode: (x) => new TextDecoder("utf-8", { fatal: true }).decode(x),
    encodeInto: (x) => new TextEncoder().encodeInto("abc", x),
    body: async (x) => { if ((await new Response(x).text()) !== "[object Object]" && !String(x).startsWith("[object")) throw 1; throw 1; },
    attestation: (x) => r3e.tee.getAttestation(x),
  };
  for (const tag of tags) for (const shape of shapes) {
    const fake = Object.assign({ [Symbol.toStringTag]: tag }, shape);
    for (const [name, use] of Object.entries(uses)) {
      try { await use(fake); taken.push(`${name} ${tag}`); } catch {}
    }
  }
  return taken;
};
