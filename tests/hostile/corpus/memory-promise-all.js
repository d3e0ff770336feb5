// attack: Waits for all promises of an endless iterator.
// limit: none
// ends: memory_limit
export default () => Promise.all({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) });
