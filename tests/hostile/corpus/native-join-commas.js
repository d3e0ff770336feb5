// attack: Joins four thousand million holes by commas.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => { const a = []; a.length = 2 ** 32 - 1; return a.join().length; };
