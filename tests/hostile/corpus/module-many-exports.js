// attack: Exports ten thousand names by one module.
// limit: none
// ends: output 1
export default () => 1;
const [a0, a1] = [new Proxy({}, { get() { throw 1; } }), Symbol("s")];
export { a0, a1, a0 as "a name with blanks", a1 as then };
