// attack: A function with seventy thousand parameters.
// limit: cpu
// ends: cpu_limit
// ends: function_error/thrown
export default () => new Function(...Array.from({ length: 70_000 }, (_, i) => `p${i}`), "return p69999 === undefined")();
