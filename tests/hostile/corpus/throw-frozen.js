// attack: Throws a frozen error of a class of its own.
// limit: none
// ends: function_error/thrown
export default () => { class Mine extends Error { get message() { return this.toString(); } toString() { return "mine"; } } throw Object.freeze(new Mine("x")); };
