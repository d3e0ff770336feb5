// attack: Fills a map without end.
// limit: none
// ends: memory_limit
export default () => { const m = new Map(); for (let i = 0;; i++) m.set(`key ${i}`, { i }); };
