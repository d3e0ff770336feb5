// Recurses through async functions.
async function down() { return await down(); }
export default down;
