// attack: Asks a class that asks itself.
// limit: none
// ends: function_error/thrown
export default () => { class A { static [Symbol.hasInstance](x) { return x instanceof A; } } return 1 instanceof A; };
