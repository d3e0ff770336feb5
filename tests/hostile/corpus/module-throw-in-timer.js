// attack: Leaves a timer that throws as it loads.
// limit: none
// ends: output 1
// ends: load_error/thrown
// ends: function_error/thrown
setTimeout(() => { throw new Error("left by the load"); }, 0);
export default () => new Promise((resolve) => setTimeout(resolve, 20, 1));
