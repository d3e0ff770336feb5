// attack: Opens iterators without end.
// limit: none
// ends: memory_limit
export default () => { const a = [1]; const all = []; for (;;) all.push(a.values(), a.entries().map((x) => x)); };
