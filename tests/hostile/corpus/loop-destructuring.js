// attack: Closes an iterator by destructuring, and its closing never ends.
// limit: cpu
// ends: cpu_limit
export default () => {
  const [first] = { [Symbol.iterator]: () => ({ next: () => ({ value: 1 }), return() { for (;;); } }) };
  return first;
};
