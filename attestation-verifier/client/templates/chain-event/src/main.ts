interface Transfer {
  /** What the event is known again by, over all chains: the same in every attempt for it. */
  key: string;
  block: { height: number; hash: string };
  transaction: string;
  /** Whole numbers as text: they have up to 78 digits. */
  values: { from: string; to: string; value: string };
}

interface Seen {
  count: number;
  sum: string;
  last: string;
}

/** Adds up what an account was sent. An attempt that is made again is known by the event's key, and counts nothing. */
export default async function main({ key, values }: Transfer): Promise<Seen & { counted: boolean }> {
  const { to, value } = values;
  if (!/^[0-9]+$/.test(value)) throw new TypeError("the value must be a whole number");
  const before = ((await r3e.store.get(`to/${to}`)) as Seen | null) ?? { count: 0, sum: "0", last: "" };
  if (before.last === key) return { ...before, counted: false };
  const seen = { count: before.count + 1, sum: (BigInt(before.sum) + BigInt(value)).toString(), last: key };
  await r3e.store.set(`to/${to}`, { ...seen });
  return { ...seen, counted: true };
}
