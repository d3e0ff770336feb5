// attack: Has the question for an object's class throw, return nothing, and be no function.
// limit: none
// ends: output "s3cret"
export default async () => {
  const { prototype } = Object;
  const { get } = r3e.secrets;
  for (const hostile of [() => { throw 1; }, () => undefined, null, {}, new Proxy(() => {}, { apply() { throw 2; } })]) {
    prototype.toString = hostile;
    try { console.log({ a: [1] }, new Date(0), new Map()); } catch {}
    try { await crypto.subtle.digest("SHA-256", new Uint8Array(1)); } catch {}
  }
  globalThis.Object = { get prototype() { throw 3; } };
  try { console.log({ a: [1] }); } catch {}
  globalThis.Object = undefined;
  return get("name");
};
