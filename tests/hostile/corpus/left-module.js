// attack: Leaves a count in its module for the next event.
// limit: none
// ends: output 1
// again: same
let count = 0;
export default () => ++count;
