// attack: Throws a promise that is rejected.
// limit: none
// ends: function_error/thrown
// ends: function_error/unhandled_rejection
export default () => { throw Promise.reject(new Error("inner")); };
