// attack: Writes into import.meta and looks for what it holds of the machine.
// limit: none
// ends: output {}
export default () => {
  const found = {};
  for (const key of Reflect.ownKeys(import.meta)) {
    const text = String(import.meta[key]);
    if (/\/(proc|home|root|usr|tmp|etc)\b/.test(text)) found[String(key)] = text;
  }
  try { import.meta.url = "file:///etc/passwd"; import.meta.dirname = "/"; } catch {}
  return found;
};
