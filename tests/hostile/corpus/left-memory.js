// attack: Leaves half of its memory full for the next event.
// limit: none
// ends: output 0
// again: same
const held = [];
export default () => { const found = held.length; held.push(new Uint8Array(12_000_000).fill(1)); return found; };
