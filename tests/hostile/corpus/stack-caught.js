// attack: Calls itself without end, catches, and returns.
// limit: none
// ends: output true
function down() { try { return down() + 1; } catch { return 0; } }
export default () => down() > 100;
