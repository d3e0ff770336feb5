// attack: Compiles functions and keeps them.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (let i = 0;; i++) all.push(new Function(`return ${i}`)); };
