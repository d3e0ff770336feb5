// attack: Recurses through bound functions.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { let f = () => 1; for (let i = 0; i < 200_000; i++) f = f.bind(null); return f(); };
