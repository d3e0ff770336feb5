// Doubles a string without end.
export default () => { let s = "x"; const all = []; for (;;) { s += s + "y"; all.push(s.toUpperCase()); } };
