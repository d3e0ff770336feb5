// attack: Prints for ever.
// limit: cpu
// ends: cpu_limit
export default () => { for (;;) console.log("x".repeat(100)); };
