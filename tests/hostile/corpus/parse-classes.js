// attack: Compiles a hundred thousand classes inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("class A{static x=".repeat(100_000));
