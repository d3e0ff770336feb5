// Allocates arrays without end.
export default () => { const all = []; for (;;) all.push(new Array(100000).fill(0)); };
