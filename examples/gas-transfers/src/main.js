// Keeps the largest transfers of GAS. An event that comes again, because an attempt was made again, is known by its key.
const KEPT = 10;

export default async function keep({ key, transaction, amount }) {
  const before = (await r3e.store.get("largest")) ?? [];
  if (before.some((one) => one.key === key)) return { kept: before.length };
  const more = (one, other) => (BigInt(one.amount) > BigInt(other.amount) ? -1 : 1);
  const largest = [...before, { key, transaction, amount }].sort(more).slice(0, KEPT);
  await r3e.store.set("largest", largest);
  return { kept: largest.length, largest: largest[0].amount };
}
