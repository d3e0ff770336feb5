// attack: Makes a number of an object that never gives one.
// limit: cpu
// ends: cpu_limit
export default () => +{ valueOf() { for (;;); } };
