// attack: Recurses through conversions.
// limit: none
// ends: function_error/thrown
const a = []; a.push({ toString: () => `${a}` });
export default () => { const o = { toString() { return `${o}`; } }; return `${o}`; };
