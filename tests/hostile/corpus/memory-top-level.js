// attack: The module allocates without end as it loads.
// limit: none
// ends: memory_limit
const all = [];
for (;;) all.push(new Array(100000).fill(0));
export default () => 1;
