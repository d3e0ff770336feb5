// attack: Makes an object of entries without end, all of one key.
// limit: cpu
// ends: cpu_limit
export default () => Object.fromEntries({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: ["a", 1] }) }) });
