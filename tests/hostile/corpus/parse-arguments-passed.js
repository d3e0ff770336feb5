// attack: Compiles a call with seventy thousand arguments.
// limit: none
// ends: function_error/thrown
export default () => new Function("f", "return f(" + Array(70_000).fill("1").join(",") + ")")((...all) => all.length);
