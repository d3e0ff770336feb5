// attack: The result is asked for its JSON form for ever.
// limit: cpu
// ends: cpu_limit
export default () => ({ toJSON() { for (;;); } });
