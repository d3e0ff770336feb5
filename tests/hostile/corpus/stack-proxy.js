// attack: Recurses through proxy traps.
// limit: none
// ends: function_error/thrown
export default () => { let p = {}; for (let i = 0; i < 100_000; i++) p = new Proxy(p, {}); return p.x; };
