// attack: Builds ropes of text, and flattens each.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { const all = []; for (;;) { let s = "x"; for (let i = 0; i < 20; i++) s = s + s + i; all.push(s, s[s.length - 1]); } };
