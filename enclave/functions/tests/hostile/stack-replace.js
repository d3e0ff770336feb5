// Recurses through String.prototype.replace.
function down() { return "a".replace(/a/, down); }
export default down;
