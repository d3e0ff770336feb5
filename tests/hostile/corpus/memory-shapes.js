// attack: Gives each object a shape of its own.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (let i = 0;; i++) { const o = {}; for (let j = 0; j < 10; j++) o[`p${i}_${j}`] = j; all.push(o); } };
