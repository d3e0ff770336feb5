// attack: Compiles a million awaits of one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("return async()=>" + "await ".repeat(1_000_000) + "1");
