// attack: Iterates over a generator that never ends.
// limit: cpu
// ends: cpu_limit
export default () => { for (const _ of (function* () { for (;;) yield 1; })()); };
