// attack: Calls every function that it can reach with arguments that fit none.
// limit: none
// ends: output "unharmed"
// ends: function_error/unhandled_rejection
// ends: function_error/thrown
export default async () => {
  const skip = new Set([eval, Function, setInterval, setTimeout, queueMicrotask, globalThis.reportError]);
  const odd = [undefined, null, -1, NaN, 2 ** 53, 1n, "", "x", Symbol("s"), {}, [], () => 1, new Proxy({}, {})];
  for (const name of Reflect.ownKeys(globalThis)) {
    const value = globalThis[name];
    const all = typeof value === "function" ? [value] : value !== null && typeof value === "object" && value !== globalThis ? Reflect.ownKeys(value).map((key) => { try { return value[key]; } catch { return 0; } }) : [];
    for (const f of all) {
      if (typeof f !== "function" || skip.has(f)) continue;
      for (const one of odd) {
        try { Promise.resolve(f(one, one)).catch(() => {}); } catch {}
        try { new f(one); } catch {}
      }
    }
  }
  return "unharmed";
};
