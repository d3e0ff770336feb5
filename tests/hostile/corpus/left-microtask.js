// attack: Leaves a microtask that would run in the next event.
// limit: none
// ends: output null
// again: same
export default () => { const found = globalThis.ran ?? null; Promise.resolve().then(() => Promise.resolve()).then(() => { globalThis.ran = "mine"; }); return found; };
