// attack: Leaves a weak map, a symbol and a weak reference for the next event.
// limit: none
// ends: output "clean"
// again: same
const map = new WeakMap();
const key = {};
export default () => { const found = map.has(key) || Symbol.for("left").description === undefined ? "mine" : "clean"; map.set(key, 1); return found; };
