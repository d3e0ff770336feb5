// attack: Asks for the class of a proxy whose prototype is never told.
// limit: cpu
// ends: cpu_limit
export default () => new Proxy({}, { getPrototypeOf() { for (;;); } }) instanceof Map;
