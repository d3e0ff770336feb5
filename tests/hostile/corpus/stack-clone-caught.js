// attack: Clones what is nested deeper than any stack, and catches it.
// limit: none
// ends: output true
export default () => { let deep = {}; for (let i = 0; i < 200_000; i++) deep = { deep }; try { structuredClone(deep); } catch (error) { return error instanceof Error; } };
