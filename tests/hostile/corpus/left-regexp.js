// attack: Leaves the position of a regular expression for the next event.
// limit: none
// ends: output true
// again: same
const expression = /a/g;
export default () => expression.test("a");
