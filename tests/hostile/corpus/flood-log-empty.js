// attack: Prints nothing, for ever.
// limit: cpu
// ends: cpu_limit
export default () => { for (;;) console.log(""); };
