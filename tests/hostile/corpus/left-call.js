// attack: Leaves a host call whose answer would come to the next event.
// limit: none
// ends: output null
// again: same
export default () => { const found = globalThis.answer ?? null; r3e.secrets.get("n").then((secret) => { globalThis.answer = secret; }); return found; };
