// attack: Replaces what objects say of their class, and passes plain objects off as everything.
// limit: none
// ends: output "printed"
export default async () => {
  const tags = ["Date", "RegExp", "Map", "Set", "Promise", "Error", "ArrayBuffer", "SharedArrayBuffer", "DataView", "Boolean", "Number", "String", "Symbol", "BigInt", "WeakMap", "Generator", "Module", "Arguments", "Map Iterator"];
  for (const tag of tags) {
    try { console.log({ [Symbol.toStringTag]: tag, size: 1, entries: () => [[1, 2]], valueOf: () => 1, toISOString: () => 1 }); } catch {}
    try { structuredClone({ [Symbol.toStringTag]: tag, byteLength: 2 ** 31, length: 5 }); } catch {}
  }
  for (const tag of tags) {
    Object.prototype.toString = () => `[object ${tag}]`;
    try { console.log({ a: 1 }, [1], () => 1); } catch {}
    for (const use of [(x) => crypto.subtle.digest("SHA-256", x), (x) => new TextDecoder().decode(x), (x) => crypto.getRandomValues(x), (x) => new Response(x).text(), (x) => structuredClone(x)]) {
      for (const x of [{}, [], () => 1, { byteLength: 2 ** 40 }, new Map(), Object.create(null)]) { try { await use(x); } catch {} }
    }
  }
  return "printed";
};
