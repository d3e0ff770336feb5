// attack: Imports by a name of ten million characters.
// limit: none
// ends: output []
export default async () => { try { await import(`https://a.example/${"x".repeat(10_000_000)}`); return ["found"]; } catch { return []; } };
