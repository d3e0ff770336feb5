// attack: Deletes every global, then finishes.
// limit: none
// ends: output "s3cret"
export default async () => {
  const { get } = r3e.secrets;
  const { deleteProperty, ownKeys } = Reflect;
  const all = globalThis;
  for (const key of ownKeys(all)) deleteProperty(all, key);
  return get("name");
};
