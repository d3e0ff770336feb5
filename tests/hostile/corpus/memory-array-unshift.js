// attack: Puts large arrays before one another without end.
// limit: none
// ends: memory_limit
// ends: cpu_limit
export default () => { const a = []; for (;;) a.unshift(new Array(1000).fill(a)); };
