// Counts the ticks that it was run for, and keeps the last one. An attempt that is made again is known by its tick.
export default async function report(event) {
  const last = (await r3e.store.get("report")) ?? { ticks: 0, tick_ms: 0 };
  if (event.tick_ms <= last.tick_ms) {
    return { ...last, repeated: true };
  }
  const report = { ticks: last.ticks + 1, tick_ms: event.tick_ms, tick: event.tick };
  await r3e.store.set("report", report);
  return report;
}
