// attack: Leaves a console that throws for the next event.
// limit: none
// ends: output "clean"
// again: same
const { log } = console;
export default () => { const found = console.log === log ? "clean" : "mine"; console.log = () => { throw 1; }; return found; };
