// attack: Reads and writes under keys of three million characters.
// limit: none
// ends: output ["too_large","too_large"]
export default async () => {
  const codes = [];
  for (const call of [() => r3e.store.get("k".repeat(3_000_000)), () => r3e.store.delete("k".repeat(3_000_000))]) {
    try { await call(); } catch (error) { codes.push(error.code); }
  }
  return codes;
};
