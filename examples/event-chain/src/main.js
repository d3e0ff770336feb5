// Follows orders through their steps. Two triggers, one for each topic, hand it events of one form.
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
  return { order, ...known };
}
