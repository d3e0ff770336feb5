// attack: Resolves a promise with itself.
// limit: none
// ends: function_error/thrown
export default () => { let resolve; const p = new Promise((r) => { resolve = r; }); resolve(p); return p; };
