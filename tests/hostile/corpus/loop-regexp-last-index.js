// attack: Replaces by a sticky expression whose position is set back.
// limit: cpu
// ends: cpu_limit
export default () => { const r = /a/y; for (;;) { r.lastIndex = 0; "aaaa".replace(r, () => { r.lastIndex = 0; return ""; }); } };
