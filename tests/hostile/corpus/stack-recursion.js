// attack: Calls itself without end.
// limit: none
// ends: function_error/thrown
function down() { return down() + 1; }
export default down;
