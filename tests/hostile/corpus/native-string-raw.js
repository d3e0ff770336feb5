// attack: Joins a template that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
export default () => String.raw({ raw: new Proxy({}, { get: (_, key) => (key === "length" ? 2 ** 53 - 1 : "") }) });
