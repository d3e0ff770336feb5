// attack: Compiles a hundred thousand functions inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("function f(){".repeat(100_000));
