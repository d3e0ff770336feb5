// attack: Leaves a fetch of its own for the next event.
// limit: none
// ends: output "clean"
// again: same
const { fetch: first } = globalThis;
export default () => { const found = globalThis.fetch === first ? "clean" : "mine"; globalThis.fetch = () => "mine"; return found; };
