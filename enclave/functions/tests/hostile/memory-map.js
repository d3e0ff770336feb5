// Fills a map without end.
export default () => { const m = new Map(); for (let i = 0;; i++) m.set(`key ${i}`, { i }); };
