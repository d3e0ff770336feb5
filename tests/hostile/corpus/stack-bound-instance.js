// attack: Asks a function bound two hundred thousand times what is of it.
// limit: none
// ends: function_error/thrown
// ends: memory_limit
// ends: output false
export default () => { let f = function () {}; for (let i = 0; i < 200_000; i++) f = f.bind(null); return ({}) instanceof f; };
