// attack: Hands the largest texts to natives that copy them outside the engine.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { const s = "\u20ac".repeat(12_000_000); const all = []; for (;;) all.push(btoa(unescape(encodeURIComponent(s)))); };
