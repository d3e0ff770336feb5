// attack: Throws an error whose texts are cut inside characters.
// limit: none
// ends: function_error/thrown
export default () => { const e = new Error("\u{1f600}".repeat(2000)); e.name = "\ud800"; e.stack = `x${"\u20ac".repeat(3000)}\udc00`; throw e; };
