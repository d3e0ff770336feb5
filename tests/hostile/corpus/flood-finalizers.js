// attack: Registers finalizers that register finalizers.
// limit: cpu
// ends: cpu_limit
// ends: output "registered"
export default () => {
  const registry = new FinalizationRegistry(() => registry.register({}, 1));
  for (let i = 0; i < 10_000; i++) registry.register({}, 1);
  return "registered";
};
