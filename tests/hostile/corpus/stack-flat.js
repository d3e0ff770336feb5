// attack: Flattens arrays a hundred thousand deep.
// limit: none
// ends: function_error/thrown
export default () => { let a = []; for (let i = 0; i < 100_000; i++) a = [a]; return a.flat(Infinity).length; };
