// attack: Looks for a way out in import.meta.
// limit: none
// ends: output []
export default () => {
  const resolved = [];
  try { resolved.push(import.meta.resolve("fs")); } catch {}
  try { resolved.push(import.meta.resolve("ext:core/mod.js")); } catch {}
  return resolved;
};
