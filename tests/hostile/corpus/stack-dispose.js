// attack: Drops a list of a million links at once.
// limit: none
// ends: output "dropped"
export default () => { let list = null; for (let i = 0; i < 150_000; i++) list = { list }; list = null; return "dropped"; };
