// attack: Chains closures without end.
// limit: none
// ends: memory_limit
export default () => { let f = () => 0; for (;;) { const g = f; f = () => g; } };
