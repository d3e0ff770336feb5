// attack: Leaves another length of stack traces for the next event.
// limit: none
// ends: output "clean"
// again: same
const before = Error.stackTraceLimit;
export default () => { const found = Error.stackTraceLimit === before ? "clean" : "mine"; Error.stackTraceLimit = before === 3 ? 4 : 3; return found; };
