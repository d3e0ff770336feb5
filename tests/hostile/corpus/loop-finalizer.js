// attack: Registers a finalizer that never ends, and drops what it is of.
// limit: cpu
// ends: cpu_limit
// ends: output "waited"
export default async () => {
  const registry = new FinalizationRegistry(() => { for (;;); });
  for (let i = 0; i < 1000; i++) registry.register({}, i);
  await new Promise((resolve) => setTimeout(resolve, 20));
  return "waited";
};
