// Recurses through a comparison.
function down() { return [2, 1].sort(down).length; }
export default down;
