// attack: Drops as many values of an iterator as there are numbers.
// limit: cpu
// ends: cpu_limit
export default () => Iterator.from({ next: () => ({ done: false, value: 1 }) }).drop(Infinity).next();
