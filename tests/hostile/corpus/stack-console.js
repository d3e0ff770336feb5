// attack: Logs with hardly any stack left.
// limit: none
// ends: output "returned"
function down() { try { down(); } catch { console.log({ a: { b: {} } }); } }
export default () => { try { down(); } catch {} return "returned"; };
