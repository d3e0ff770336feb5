// attack: Writes JSON whose replacer puts more under what it visits.
// limit: none
// ends: function_error/thrown
// ends: memory_limit
export default () => JSON.stringify({ a: 1 }, () => ({ a: 1 }));
