// attack: Freezes every intrinsic it can reach.
// limit: none
// ends: output "s3cret"
export default async () => {
  const { freeze, getOwnPropertyNames } = Object;
  for (const name of getOwnPropertyNames(globalThis)) {
    const value = globalThis[name];
    if (value === null || (typeof value !== "object" && typeof value !== "function") || value === globalThis) continue;
    freeze(value);
    if (value.prototype) freeze(value.prototype);
  }
  return r3e.secrets.get("name");
};
