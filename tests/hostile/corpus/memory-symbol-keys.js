// attack: Keys an object by symbols without end.
// limit: none
// ends: memory_limit
export default () => { const o = {}; for (;;) o[Symbol("k")] = 1; };
