// attack: Throws and catches for ever.
// limit: cpu
// ends: cpu_limit
export default () => { for (;;) { try { null.x; } catch {} } };
