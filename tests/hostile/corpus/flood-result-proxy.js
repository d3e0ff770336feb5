// attack: Returns an array that claims the greatest length there is.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: output_limit
// ends: function_error/result_not_json
export default () => new Proxy([], { get: (target, key) => (key === "length" ? 2 ** 53 - 1 : target[key]) });
