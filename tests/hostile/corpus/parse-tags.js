// attack: Compiles a template that is a tag of a template, two hundred thousand times.
// limit: cpu
// ends: function_error/thrown
// ends: cpu_limit
// ends: memory_limit
export default () => new Function("f", "return f" + "``".repeat(200_000))(1);
