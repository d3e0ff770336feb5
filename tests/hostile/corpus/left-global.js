// attack: Leaves a value on the global object for the next event.
// limit: none
// ends: output null
// again: same
export default () => { const found = globalThis.left ?? null; globalThis.left = "mine"; return found; };
