// attack: Leaves an interval running behind it.
// limit: none
// ends: output "left"
export default () => { setInterval(() => console.log("still here"), 1); return "left"; };
