// attack: Follows constructor.constructor from everything that the host gave.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  const given = [r3e, r3e.store, r3e.secrets.get("n"), await fetch("https://venue.example/"), new URL("https://a.b"), new Headers(), import.meta, crypto, console, setTimeout(() => {}, 0)];
  for (const one of given) {
    try {
      const root = one.constructor.constructor("return this")();
      if (root !== globalThis) found.push("another global");
      for (const name of ["Deno", "__bootstrap", "process"]) if (name in root) found.push(name);
    } catch {}
  }
  return found;
};
