// attack: Makes headers of an endless iterator.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
// ends: function_error/thrown
export default () => new Headers({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: ["a", "b"] }) }) });
