// attack: Compiles a million alternatives, each in the other's else.
// limit: none
// ends: function_error/thrown
export default () => new Function("if(0);else ".repeat(1_000_000) + ";");
