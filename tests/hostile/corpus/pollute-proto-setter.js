// attack: Replaces the accessor of __proto__ and the constructor of all objects.
// limit: none
// ends: output "s3cret"
export default async () => {
  Object.defineProperty(Object.prototype, "__proto__", { get() { throw new Error("mine now"); }, set() { throw new Error("mine now"); } });
  Object.defineProperty(Object.prototype, "constructor", { get() { throw new Error("mine now"); } });
  await r3e.store.get("k");
  return r3e.secrets.get("name");
};
