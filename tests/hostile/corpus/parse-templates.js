// attack: Compiles a deep template.
// limit: none
// ends: function_error/thrown
export default () => eval("`${".repeat(200_000));
