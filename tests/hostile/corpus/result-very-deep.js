// attack: Nests its result a hundred thousand deep.
// limit: none
// ends: function_error/result_not_json
export default () => { let a = []; for (let i = 0; i < 100_000; i++) a = [a]; return a; };
