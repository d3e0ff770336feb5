// attack: Prints one line of ten million characters.
// limit: none
// ends: output "printed"
export default () => { console.log("x".repeat(10_000_000)); return "printed"; };
