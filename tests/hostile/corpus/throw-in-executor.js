// attack: Throws in a promise's executor after it resolved another.
// limit: none
// ends: function_error/thrown
export default () => new Promise((_, reject) => { reject({ get message() { throw 1; }, get name() { throw 2; }, get stack() { throw 3; } }); });
