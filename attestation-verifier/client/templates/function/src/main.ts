interface Event {
  a: number;
  b: number;
}

/** Adds two numbers, and counts how often it was asked to. */
export default async function main({ a, b }: Event): Promise<{ sum: number; calls: number }> {
  if (!Number.isFinite(a) || !Number.isFinite(b)) throw new TypeError("a and b must be numbers");
  const calls = Number((await r3e.store.get("calls")) ?? 0) + 1;
  await r3e.store.set("calls", calls);
  console.log(`call ${calls}: ${a} + ${b}`);
  return { sum: a + b, calls };
}
