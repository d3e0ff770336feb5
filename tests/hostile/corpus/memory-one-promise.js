// attack: Waits for one promise a million times over.
// limit: none
// ends: memory_limit
export default () => { const p = new Promise(() => {}); for (;;) p.then(() => 1, () => 2); };
