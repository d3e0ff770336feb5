// attack: Compiles functions for ever.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => { for (let i = 0;; i++) new Function(`return ${i} + ${"i".repeat(10_000)}`); };
