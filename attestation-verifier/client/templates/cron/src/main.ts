interface Tick {
  /** The tick in milliseconds since 1970: the same in every attempt for it. */
  tick_ms: number;
  tick: string;
}

interface Report {
  ticks: number;
  last_ms: number;
}

/** Counts the ticks that it ran for. An attempt that is made again is known by its tick, and counts nothing. */
export default async function main({ tick_ms, tick }: Tick): Promise<Report & { counted: boolean }> {
  const kept = (await r3e.store.get("report")) as Report | null;
  const before = kept ?? { ticks: 0, last_ms: 0 };
  if (tick_ms <= before.last_ms) return { ...before, counted: false };
  const report = { ticks: before.ticks + 1, last_ms: tick_ms };
  await r3e.store.set("report", { ...report });
  console.log(`tick ${report.ticks} at ${tick}`);
  return { ...report, counted: true };
}
