// attack: Compiles regular expressions without end.
// limit: none
// ends: memory_limit
// ends: cpu_limit
export default () => { const all = []; for (let i = 0;; i++) all.push(new RegExp(`(a|b)*${i}`.repeat(20))); };
