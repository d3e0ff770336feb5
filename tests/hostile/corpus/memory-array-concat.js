// attack: Doubles an array without end.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { let a = [1]; for (;;) a = a.concat(a); };
