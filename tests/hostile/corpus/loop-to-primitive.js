// attack: Compares an object that never becomes a primitive.
// limit: cpu
// ends: cpu_limit
export default () => ({ [Symbol.toPrimitive]() { for (;;); } }) < 1;
