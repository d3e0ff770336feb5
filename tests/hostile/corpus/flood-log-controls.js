// attack: Prints what a terminal or a log file would obey.
// limit: none
// ends: output "printed"
export default () => { console.log("\u001b[2J\u0007\u0000\r\n{\"level\":\"error\"}\u202e\u2028"); return "printed"; };
