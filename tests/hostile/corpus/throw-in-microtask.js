// attack: Throws in a microtask while the handler waits.
// limit: none
// ends: function_error/thrown
export default () => new Promise(() => { queueMicrotask(() => { throw new TypeError("late"); }); });
