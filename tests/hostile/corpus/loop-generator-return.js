// attack: Closes a generator that does not let itself be closed.
// limit: cpu
// ends: cpu_limit
export default () => {
  const generator = (function* () { try { yield 1; } finally { for (;;); } })();
  for (const _ of generator) break;
};
