// attack: Starts a timer whose delay never becomes a number.
// limit: cpu
// ends: cpu_limit
export default () => setTimeout(() => {}, { valueOf() { for (;;); } });
