// Clones what is nested deeper than any stack.
export default () => { let deep = {}; for (let i = 0; i < 200_000; i++) deep = { deep }; try { structuredClone(deep); } catch (error) { return error instanceof Error; } };
