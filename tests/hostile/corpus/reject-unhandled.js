// attack: Returns, and leaves a rejection unhandled.
// limit: none
// ends: function_error/unhandled_rejection
export default () => { Promise.reject(new Error("nobody")); return 1; };
