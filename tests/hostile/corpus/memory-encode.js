// attack: Holds as many copies of a text outside the engine as inside.
// limit: none
// ends: memory_limit
export default () => { const all = []; const text = "x".repeat(1 << 20); const e = new TextEncoder(); for (;;) all.push(e.encode(text)); };
