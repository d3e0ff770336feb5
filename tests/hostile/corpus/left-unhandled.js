// attack: Leaves a rejection in each event.
// limit: none
// ends: function_error/unhandled_rejection
// again: same
export default () => { Promise.reject(new RangeError("again")); return 1; };
