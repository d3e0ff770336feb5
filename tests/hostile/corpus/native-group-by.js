// attack: Groups the values of an endless iterator.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => Map.groupBy({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) }, () => 1);
