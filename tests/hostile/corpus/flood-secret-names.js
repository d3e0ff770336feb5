// attack: Asks for a secret by a name of three million characters.
// limit: none
// ends: output "too_large"
export default async () => { try { await r3e.secrets.get("n".repeat(3_000_000)); } catch (error) { return error.code; } };
