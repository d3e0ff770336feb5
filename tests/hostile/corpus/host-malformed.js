// attack: Makes host calls with arguments of every wrong kind.
// limit: none
// ends: output []
export default async () => {
  const results = [];
  for (const bad of [undefined, null, 1, {}, [], Symbol("s"), () => 1, "", new Proxy({}, {})]) {
    for (const call of [(x) => r3e.secrets.get(x), (x) => r3e.store.get(x), (x) => r3e.store.set(x, 1)]) {
      try { await call(bad); results.push("passed"); } catch {}
    }
  }
  try { await r3e.store.set("k", () => 1); results.push("stored"); } catch {}
  try { await r3e.tee.getAttestation({}); results.push("attested"); } catch {}
  return results;
};
