// attack: Calls every getter and setter that it can reach with hostile receivers.
// limit: none
// ends: output []
export default () => {
  const found = [];
  const seen = new Set();
  const visit = (object, depth) => {
    if (object === null || (typeof object !== "object" && typeof object !== "function") || seen.has(object) || depth > 4) return;
    seen.add(object);
    for (const key of Reflect.ownKeys(object)) {
      const slot = Reflect.getOwnPropertyDescriptor(object, key);
      for (const part of [slot.get, slot.set]) {
        if (!part) continue;
        for (const receiver of [undefined, null, {}, globalThis, new Proxy({}, {})]) {
          try { const got = Reflect.apply(part, receiver, [{}]); if (got && typeof got === "object" && "ops" in got) found.push(String(key)); } catch {}
        }
      }
      try { visit(object[key], depth + 1); } catch {}
    }
  };
  visit(globalThis, 0);
  return found;
};
