// attack: Stores a value whose JSON form never comes.
// limit: cpu
// ends: cpu_limit
export default () => r3e.store.set("k", { toJSON() { for (;;); } });
