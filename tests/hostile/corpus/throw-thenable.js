// attack: Throws a thenable that would resolve.
// limit: none
// ends: function_error/thrown
export default () => { throw { then(resolve) { resolve("resolved"); } }; };
