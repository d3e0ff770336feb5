// attack: Compiles a closure over seventy thousand variables.
// limit: cpu
// ends: cpu_limit
// ends: function_error/thrown
export default () => {
  const names = Array.from({ length: 70_000 }, (_, i) => `v${i}`);
  return new Function(`let ${names.join(",")}; return () => [${names.join(",")}].length`)()();
};
