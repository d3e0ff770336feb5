// attack: Awaits for ever as it loads.
// limit: cpu
// ends: cpu_limit
for (;;) await null;
export default () => 1;
