// attack: Makes promises that nothing settles.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) all.push(new Promise(() => {}).then(() => all)); };
