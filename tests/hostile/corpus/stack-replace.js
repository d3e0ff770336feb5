// attack: Recurses through String.prototype.replace.
// limit: none
// ends: function_error/thrown
function down() { return "a".replace(/a/, down); }
export default down;
