// attack: Nests its result deeper than JSON readers bear.
// limit: none
// ends: function_error/result_not_json
export default () => { let a = []; for (let i = 0; i < 500; i++) a = [a]; return a; };
