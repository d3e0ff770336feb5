// attack: Looks for what the host's classes keep, by their names and by subclasses of them.
// limit: none
// ends: output []
export default () => {
  const found = [];
  for (const Base of [Headers, Request, Response, URL, URLSearchParams, TextEncoder, TextDecoder]) {
    const slots = Reflect.ownKeys(Base).concat(Reflect.ownKeys(Base.prototype));
    for (const slot of slots) if (/^_|internal|brand|^op_|primordial/i.test(String(slot))) found.push(`${Base.name}.${String(slot)}`);
    try { const made = Reflect.construct(Base, ["https://a.b"], class extends Object {}); for (const key of Reflect.ownKeys(made)) found.push(String(key)); } catch {}
  }
  return found;
};
