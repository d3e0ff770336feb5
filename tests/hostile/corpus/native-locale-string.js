// attack: Asks four thousand million holes for their local form.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => { const a = []; a.length = 2 ** 32 - 1; return a.toLocaleString().length; };
