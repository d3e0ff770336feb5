// attack: Imports as other kinds of module.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  for (const type of ["json", "text", "bytes", "wasm", "bytecode"]) {
    try {
      await import("file:///function.js", { with: { type } });
      found.push(type);
    } catch {}
  }
  return found;
};
