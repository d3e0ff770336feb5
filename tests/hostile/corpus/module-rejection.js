// attack: Leaves a rejection unhandled as it loads.
// limit: none
// ends: load_error/thrown
// ends: load_error/unhandled_rejection
Promise.reject(new Error("at load"));
export default () => 1;
