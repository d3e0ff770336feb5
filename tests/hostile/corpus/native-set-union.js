// attack: Unites a set with one whose keys never end.
// limit: cpu
// ends: cpu_limit
export default () => new Set([1]).union({ size: 1, has: () => true, keys: () => ({ next: () => ({ done: false, value: 1 }) }) });
