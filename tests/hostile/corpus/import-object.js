// attack: Imports by objects that become another name each time they are asked.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  let n = 0;
  const name = { toString: () => ["./function.js", "node:fs", "ext:core/mod.js"][n++ % 3] };
  for (let i = 0; i < 6; i++) { try { await import(name); found.push(n); } catch {} }
  try { await import(Symbol("s")); found.push("symbol"); } catch {}
  return found;
};
