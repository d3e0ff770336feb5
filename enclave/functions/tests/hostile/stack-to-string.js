// Recurses through conversions.
const a = []; a.push({ toString: () => `${a}` });
export default () => { const o = { toString() { return `${o}`; } }; return `${o}`; };
