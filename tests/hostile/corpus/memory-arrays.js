// attack: Allocates arrays without end.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) all.push(new Array(100000).fill(0)); };
