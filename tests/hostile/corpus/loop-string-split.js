// attack: Splits by a splitter whose position never moves on.
// limit: cpu
// ends: cpu_limit
// ends: memory_limit
export default () => {
  class Splitter extends RegExp { get lastIndex() { return 0; } set lastIndex(_) {} exec() { return null; } }
  for (;;) "abc".split(new Splitter("x"));
};
