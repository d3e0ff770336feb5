// The Console standard. What is printed is looked at by other tests; here, that nothing of a value's own is run.
test("the namespace", () => {
  eq(Object.prototype.toString.call(console), "[object console]");
  for (const name of ["assert", "clear", "count", "countReset", "debug", "dir", "dirxml", "error", "group", "groupCollapsed", "groupEnd", "info", "log", "table", "time", "timeEnd", "timeLog", "trace", "warn"]) {
    eq(typeof console[name], "function", name);
    eq(console[name](), undefined, name);
  }
});

test("methods stand alone", () => {
  const { log, count, group, groupEnd } = console;
  log("alone");
  count();
  group("g");
  groupEnd();
  ok(true, "nothing was thrown");
});

table("a value that bites", [
  [() => new Proxy({}, { get() { throw new Error("run"); }, ownKeys() { throw new Error("run"); } })],
  [() => ({ get a() { throw new Error("run"); } })],
  [() => ({ toString() { throw new Error("run"); }, [Symbol.toPrimitive]() { throw new Error("run"); } })],
  [() => Object.defineProperty(new Error("m"), "name", { get() { throw new Error("run"); } })],
  [() => Object.create(null)],
  [() => { const around = {}; around.around = around; return around; }],
  [() => Symbol("s")],
  [() => new Map([[new Map(), new Set([1n])]])],
  [() => Array(1e6)],
  [() => "x".repeat(1e6)],
], (make) => {
  for (const method of ["log", "error", "dir", "table", "trace"]) eq(console[method](make()), undefined, method);
  for (const specifier of ["%s", "%d", "%i", "%f", "%o", "%O", "%c"]) eq(console.log(`${specifier} after`, make(), "more"), undefined, specifier);
});
