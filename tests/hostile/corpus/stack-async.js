// attack: Recurses through async functions.
// limit: none
// ends: function_error/thrown
async function down() { return await down(); }
export default down;
