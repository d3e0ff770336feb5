// attack: Keeps clones of a large buffer.
// limit: none
// ends: memory_limit
export default () => { const kept = []; for (;;) kept.push(structuredClone(new Uint8Array(4_000_000))); };
