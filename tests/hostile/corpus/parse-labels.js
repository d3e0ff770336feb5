// attack: Compiles a hundred thousand labels on one statement.
// limit: none
// ends: function_error/thrown
export default () => new Function(Array.from({ length: 100_000 }, (_, i) => `l${i}:`).join("") + ";");
