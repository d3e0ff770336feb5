// attack: Returns at once, and leaves a microtask that never ends.
// limit: cpu
// ends: cpu_limit
// ends: output 1
export default () => { Promise.resolve().then(() => { for (;;); }); return 1; };
