// attack: A function with seventy thousand locals.
// limit: cpu
// ends: cpu_limit
// ends: function_error/thrown
export default () => new Function("var " + Array.from({ length: 70_000 }, (_, i) => `v${i}`).join(",") + "; return v69999 === undefined")();
