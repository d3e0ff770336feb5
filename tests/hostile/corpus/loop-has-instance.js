// attack: Asks a class that never says what is of it.
// limit: cpu
// ends: cpu_limit
export default () => 1 instanceof { [Symbol.hasInstance]() { for (;;); } };
