// attack: Chains exceptions by their causes.
// limit: none
// ends: memory_limit
export default () => { let cause; for (;;) cause = new Error("x", { cause }); };
