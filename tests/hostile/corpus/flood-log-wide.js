// attack: Prints an array of ten million holes and a text of as many lines.
// limit: none
// ends: output "printed"
export default () => { console.log(new Array(10_000_000)); console.log("\n".repeat(1_000_000)); console.error(..."x".repeat(10_000)); return "printed"; };
