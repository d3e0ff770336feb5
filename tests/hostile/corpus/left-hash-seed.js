// attack: Looks for an order of keys that tells one process from another.
// limit: none
// ends: output "collides for nobody"
// again: same
export default () => Object.keys({ b: 1, a: 2, 1: 3 }).join() === "1,b,a" ? "collides for nobody" : "told apart";
