// attack: Keeps exceptions, each with its stack.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (;;) { try { null.x; } catch (error) { all.push(error, error.stack); } } };
