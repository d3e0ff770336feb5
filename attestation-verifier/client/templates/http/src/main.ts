interface Hook {
  headers: { "webhook-id": string };
  body: { type: string; data: { amount: number } };
}

/** Adds up payments. One that was counted is known by its message's id: another attempt does not count it twice. */
export default async function main({ headers, body }: Hook): Promise<{ total: number; counted: boolean }> {
  const seen = `seen/${headers["webhook-id"]}`;
  const total = Number((await r3e.store.get("total")) ?? 0);
  if ((await r3e.store.get(seen)) !== null) return { total, counted: false };
  const { amount } = body.data;
  if (!Number.isSafeInteger(amount) || amount <= 0) throw new TypeError("the amount must be a whole number above 0");
  await r3e.store.set("total", total + amount);
  await r3e.store.set(seen, true);
  return { total: total + amount, counted: true };
}
