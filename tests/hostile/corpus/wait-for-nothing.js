// attack: A promise that nothing can settle.
// limit: none
// ends: function_error/never_settled
export default () => new Promise(() => {});
