// attack: Adds listeners without end.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => { const t = new EventTarget(); for (;;) t.addEventListener("e", () => t); };
