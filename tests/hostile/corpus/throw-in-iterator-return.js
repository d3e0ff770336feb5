// attack: Throws while an iterator is closed because of a throw.
// limit: none
// ends: function_error/thrown
export default () => { for (const _ of { [Symbol.iterator]: () => ({ next: () => ({ value: 1 }), return() { throw new Error("return"); } }) }) throw new Error("body"); };
