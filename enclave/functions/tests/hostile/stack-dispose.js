// Drops a list of a million links at once.
export default () => { let list = null; for (let i = 0; i < 300_000; i++) list = { list }; list = null; return "dropped"; };
