// attack: Fills a weak map whose keys are kept elsewhere.
// limit: none
// ends: memory_limit
export default () => { const m = new WeakMap(); const keys = []; for (;;) { const k = {}; keys.push(k); m.set(k, { k }); } };
