// attack: Walks everything reachable and looks for ops.
// limit: none
// ends: output {"found":[],"enough":true}
export default () => {
  const seen = new Set();
  const queue = [globalThis, function () {}, async () => {}, function* () {}, async function* () {}];
  const found = [];
  while (queue.length > 0) {
    const object = queue.pop();
    if (object === null || (typeof object !== "object" && typeof object !== "function") || seen.has(object)) continue;
    seen.add(object);
    for (const key of Reflect.ownKeys(object)) {
      if (/^op_|^ops$|^core$|primordial|bootstrap|internals/.test(String(key))) found.push(String(key));
      const slot = Reflect.getOwnPropertyDescriptor(object, key);
      queue.push(slot.value, slot.get, slot.set);
      if (typeof slot.value === "function" && /^op_/.test(slot.value.name)) found.push(slot.value.name);
    }
    queue.push(Reflect.getPrototypeOf(object));
  }
  return { found, enough: seen.size > 500 };
};
