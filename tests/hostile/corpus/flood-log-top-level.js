// attack: Prints for ever as it loads.
// limit: cpu
// ends: cpu_limit
for (;;) console.log("x".repeat(1000));
export default () => 1;
