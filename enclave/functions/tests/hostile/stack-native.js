// Recurses through native calls.
function down() { return [1].map(down); }
export default down;
