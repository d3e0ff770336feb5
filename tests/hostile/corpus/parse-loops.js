// attack: Compiles a hundred thousand loops inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("for(;;)".repeat(100_000) + ";");
