// attack: Foretells the random names and bytes of other events from its own.
// limit: none
// ends: output
// again: differ
export default () => [crypto.randomUUID(), [...crypto.getRandomValues(new Uint8Array(8))]];
