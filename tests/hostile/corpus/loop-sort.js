// attack: Sorts an array of four thousand million holes, inside one native call.
// limit: cpu
// ends: cpu_limit
export default () => { const a = []; a.length = 2 ** 32 - 1; a[2 ** 32 - 2] = 1; return a.sort().length; };
