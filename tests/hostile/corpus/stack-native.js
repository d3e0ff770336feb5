// attack: Recurses through native calls.
// limit: none
// ends: function_error/thrown
function down() { return [1].map(down); }
export default down;
