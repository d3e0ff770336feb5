// attack: Draws random numbers before its process is split for each event.
// limit: none
// ends: output
// again: differ
Math.random();
export default () => Math.random();
