// attack: Spreads a proxy that never finishes the list of its keys.
// limit: cpu
// ends: cpu_limit
export default () => ({ ...new Proxy({}, { ownKeys() { for (;;); } }) });
