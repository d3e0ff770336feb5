// attack: Registers symbols without end; they are never collected.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => { for (let i = 0;; i++) Symbol.for(`symbol ${i}`); };
