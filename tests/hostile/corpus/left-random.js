// attack: Foretells the random numbers of other events from its own.
// limit: none
// ends: output
// again: differ
export default () => [Math.random(), Math.random()];
