// Logs with hardly any stack left.
function down() { try { down(); } catch { console.log({ a: { b: {} } }); } }
export default () => { try { down(); } catch {} return "returned"; };
