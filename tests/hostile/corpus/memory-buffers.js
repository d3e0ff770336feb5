// attack: Allocates buffers without end.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) all.push(new Uint8Array(1 << 20).fill(1)); };
