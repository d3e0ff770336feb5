// Adds up payments. A payment that was counted is known by its message's id, so that another attempt does not count it twice.
export default async function payment({ id, amount }) {
  if (await r3e.store.get(`seen/${id}`)) {
    return { id, counted: false };
  }
  const total = ((await r3e.store.get("total")) ?? 0) + amount;
  await r3e.store.set("total", total);
  await r3e.store.set(`seen/${id}`, true);
  return { id, counted: true, total };
}
