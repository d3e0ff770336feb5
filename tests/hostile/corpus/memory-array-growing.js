// attack: Iterates over an array that grows as it goes.
// limit: none
// ends: memory_limit
export default () => { const a = [1]; for (const x of a) a.push(x, x); };
