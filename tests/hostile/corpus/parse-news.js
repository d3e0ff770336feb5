// attack: Compiles a million constructions of one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("return " + "new ".repeat(1_000_000) + "A");
