// attack: Throws in a timer while the handler waits.
// limit: none
// ends: function_error/thrown
export default () => new Promise(() => { setTimeout(() => { throw new TypeError("late"); }, 1); });
