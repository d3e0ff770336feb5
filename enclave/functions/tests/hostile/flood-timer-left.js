// Leaves an interval running behind it.
export default () => { setInterval(() => console.log("still here"), 1); return "left"; };
