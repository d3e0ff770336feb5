// attack: Fills a set without end.
// limit: none
// ends: memory_limit
export default () => { const s = new Set(); for (let i = 0;; i++) s.add(`key ${i}`); };
