// attack: Gives one object keys without end.
// limit: none
// ends: memory_limit
export default () => { const o = {}; for (let i = 0;; i++) o[`key ${i}`] = i; };
