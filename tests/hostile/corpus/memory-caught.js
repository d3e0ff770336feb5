// attack: Allocates without end and catches what is thrown.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) { try { all.push(new Array(100000).fill(all)); } catch {} } };
