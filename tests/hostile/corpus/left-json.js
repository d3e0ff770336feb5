// attack: Leaves a JSON.parse and a Promise of its own for the next event.
// limit: none
// ends: output "clean"
// again: same
const { parse } = JSON;
export default () => {
  if (JSON.parse !== parse) return "mine";
  JSON.parse = () => "mine";
  Promise.prototype.then = () => "mine";
  return "clean";
};
