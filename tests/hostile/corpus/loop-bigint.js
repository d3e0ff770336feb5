// attack: Decimal digits of a number of a million bits and more, inside one native call.
// limit: cpu
// ends: cpu_limit
export default () => { let n = 3n; for (;;) { n *= n; n.toString(); } };
