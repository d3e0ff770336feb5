// attack: Compiles a function of a hundred thousand texts.
// limit: cpu
// ends: output 99999
// ends: function_error/thrown
// ends: cpu_limit
export default () => new Function("return [" + Array.from({ length: 100_000 }, (_, i) => `"t${i}"`).join(",") + "].length - 1")();
