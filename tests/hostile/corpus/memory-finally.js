// attack: Goes on allocating in every finally block.
// limit: none
// ends: memory_limit
function eat() { const all = []; try { for (;;) all.push({ all: [all] }); } finally { for (;;) all.push({}); } }
export default eat;
