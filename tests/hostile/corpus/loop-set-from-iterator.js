// attack: Fills a set from an iterator that always gives the same.
// limit: cpu
// ends: cpu_limit
export default () => new Set({ [Symbol.iterator]: () => ({ next: () => ({ done: false, value: 1 }) }) }).size;
