// attack: Makes a host call with hardly any stack left.
// limit: none
// ends: output "returned"
function down() { try { return down(); } catch { return r3e.store.get("k"); } }
export default async () => { try { await down(); } catch {} return "returned"; };
