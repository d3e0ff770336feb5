// attack: Calls a function with four thousand million arguments.
// limit: none
// ends: function_error/thrown
export default () => Reflect.apply(Math.max, null, { length: 2 ** 32 - 1 });
