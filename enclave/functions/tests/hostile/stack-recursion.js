// Calls itself without end.
function down() { return down() + 1; }
export default down;
