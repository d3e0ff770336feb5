// attack: Flattens an array of four thousand million holes.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => { const a = []; a.length = 2 ** 32 - 1; return a.flat(Infinity).length; };
