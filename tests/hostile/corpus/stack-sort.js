// attack: Recurses through a comparison.
// limit: none
// ends: function_error/thrown
function down() { return [2, 1].sort(down).length; }
export default down;
