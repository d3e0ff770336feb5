// Follows orders through their steps. A trigger for each topic hands it events of one form; a step of its own begins with an event
// that it publishes.
export default async function step({ step, order, total }) {
  const key = `order/${order}`;
  const known = (await r3e.store.get(key)) ?? { steps: [] };
  if (!known.steps.includes(step)) {
    known.steps.push(step);
  }
  if (total !== undefined) {
    known.total = total;
  }
  await r3e.store.set(key, known);
  if (step === "paid") {
    // The key makes it one event, also where the attempt is made again.
    await r3e.events.publish("order.shipping", { order }, { key: `shipping/${order}` });
  }
  return { order, ...known };
}
