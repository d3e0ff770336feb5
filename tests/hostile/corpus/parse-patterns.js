// attack: Compiles a destructuring pattern a hundred thousand deep.
// limit: none
// ends: function_error/thrown
export default () => new Function("let " + "[".repeat(100_000) + "a" + "]".repeat(100_000) + "=[]");
