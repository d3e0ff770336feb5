// attack: Throws a proxy of an error that tells each thing once.
// limit: none
// ends: function_error/thrown
export default () => { let n = 0; throw new Proxy(new Error("x"), { get(target, key) { if (n++ > 1) throw new Error("again"); return target[key]; } }); };
