// attack: Prints half characters where lines are cut.
// limit: none
// ends: output "printed"
export default () => { for (let i = 0; i < 20; i++) console.log("x".repeat(8185 + i) + "\u{1f600}\ud800\udc00\ud800"); return "printed"; };
