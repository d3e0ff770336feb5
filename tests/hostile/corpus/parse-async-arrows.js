// attack: Compiles a hundred thousand asynchronous arrow functions inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("async()=>".repeat(100_000) + "1");
