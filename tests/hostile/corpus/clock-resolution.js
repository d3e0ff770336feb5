// attack: Looks for a clock finer than a millisecond.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  const steps = new Set();
  for (let last = Date.now(), n = 0; n < 5;) { const now = Date.now(); if (now !== last) { steps.add(now - last); last = now; n++; } }
  for (const step of steps) if (!Number.isInteger(step) || step < 1) found.push(step);
  for (const text of ["performance.now()", "Temporal.Now.instant()", "process.hrtime()", "Atomics.wait", "new SharedArrayBuffer(8)", "Deno.core.ops", "std.gettime()", "os.now()"]) {
    try {
      const value = new Function(`return ${text}`)();
      if (typeof value === "number" && Number.isInteger(value)) continue;
      if (value !== undefined) found.push(text);
    } catch {}
  }
  return found;
};
