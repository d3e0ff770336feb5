// attack: Puts getters that throw under every global name, and makes host calls.
// limit: none
// ends: output "s3cret"
export default async () => {
  const { get } = r3e.secrets;
  const names = Object.getOwnPropertyNames(globalThis);
  const { defineProperty } = Object;
  for (const name of names) {
    try { defineProperty(globalThis, name, { get() { throw new Error("mine now"); } }); } catch {}
  }
  return get("name");
};
