// attack: Compiles a million arrow functions inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("a=>".repeat(1_000_000) + "1");
