// Registers finalizers that register finalizers.
export default () => {
  const registry = new FinalizationRegistry(() => registry.register({}, 1));
  for (let i = 0; i < 10_000; i++) registry.register({}, 1);
  return "registered";
};
