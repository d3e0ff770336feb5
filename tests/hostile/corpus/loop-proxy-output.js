// attack: The result has keys without end.
// limit: cpu
// ends: cpu_limit
export default () => new Proxy({}, { ownKeys() { for (;;); } });
