// attack: Filters an endless iterator for what it never gives.
// limit: cpu
// ends: cpu_limit
export default () => Iterator.from({ next: () => ({ done: false, value: 1 }) }).filter(() => false).next();
