// attack: Takes stack traces for ever.
// limit: cpu
// ends: cpu_limit
export default () => { let n = 0; for (;;) n += new Error("x").stack.length; };
