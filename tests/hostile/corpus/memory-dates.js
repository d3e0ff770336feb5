// attack: Makes dates without end.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) all.push(new Date()); };
