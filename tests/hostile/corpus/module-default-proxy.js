// attack: Exports a proxy of a function.
// limit: none
// ends: output "trapped"
export default new Proxy(() => 1, { apply: () => "trapped", get() { throw new Error("trap"); } });
