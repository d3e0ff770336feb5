// attack: Constructs classes that construct each other.
// limit: none
// ends: function_error/thrown
export default () => { class A { constructor() { new B(); } } class B extends A {} new A(); };
