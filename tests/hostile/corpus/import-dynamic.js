// attack: Imports whatever it can think of.
// limit: none
// ends: output []
export default async () => {
  const names = [
    "fs", "node:fs", "./function.js", "file:///function.js", "file:///etc/passwd", "ext:core/mod.js", "ext:core/ops",
    "ext:r3e/host.js", "ext:r3e/main.js", "https://example.com/a.js", "data:text/javascript,export default 1",
    "blob:1", "checkin:a", "internal:deno", "os", "std", "bjson", "qjs:os", "qjs:std", "", "function.js",
  ];
  const found = [];
  for (const name of names) {
    try {
      await import(name);
      found.push(name);
    } catch {}
  }
  return found;
};
