// attack: Replaces the methods of every collection and string.
// limit: none
// ends: output "s3cret"
export default async () => {
  const { getOwnPropertyDescriptor, ownKeys } = Reflect;
  const makers = [Array, Map, Set, WeakMap, String, RegExp, Function, Uint8Array, Object.getPrototypeOf(Uint8Array)];
  for (let i = 0; i < makers.length; i++) {
    const target = makers[i].prototype;
    const keys = ownKeys(target);
    for (let j = 0; j < keys.length; j++) {
      if (keys[j] === "constructor") continue;
      const slot = getOwnPropertyDescriptor(target, keys[j]);
      if (slot.configurable && typeof slot.value === "function") target[keys[j]] = () => { throw 1; };
    }
  }
  return r3e.secrets.get("name");
};
