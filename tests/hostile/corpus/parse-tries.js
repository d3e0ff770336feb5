// attack: Compiles a hundred thousand try blocks inside one another.
// limit: none
// ends: function_error/thrown
export default () => new Function("try{".repeat(100_000));
