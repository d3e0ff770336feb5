// attack: Doubles a string without end.
// limit: none
// ends: memory_limit
export default () => { let s = "x"; const all = []; for (;;) { s += s + "y"; all.push(s.toUpperCase()); } };
