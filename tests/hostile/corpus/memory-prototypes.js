// attack: Chains prototypes without end.
// limit: none
// ends: memory_limit
export default () => { let o = {}; for (;;) o = Object.create(o); };
