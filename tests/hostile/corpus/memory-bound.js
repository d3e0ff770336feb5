// attack: Binds a function without end.
// limit: none
// ends: memory_limit
export default () => { let f = (...all) => all; for (;;) f = f.bind(null, f); };
