// The module allocates without end as it loads.
const all = [];
for (;;) all.push(new Array(100000).fill(0));
export default () => 1;
