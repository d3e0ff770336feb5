// attack: Throws after it resolved, in what nobody waits for.
// limit: none
// ends: function_error/unhandled_rejection
// ends: function_error/thrown
export default () => { setTimeout(() => Promise.resolve().then(() => { throw new Error("late"); }), 0); return new Promise((resolve) => setTimeout(resolve, 20)); };
