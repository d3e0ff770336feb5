// attack: Constructs with as many arguments as an object claims to have.
// limit: none
// ends: function_error/thrown
export default () => Reflect.construct(Array, { length: 2 ** 53 - 1 });
