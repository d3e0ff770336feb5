// attack: Returns a promise from each promise, for ever.
// limit: none
// ends: memory_limit
export default () => { const step = async () => { await null; return step(); }; return step(); };
