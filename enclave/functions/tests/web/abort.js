// The DOM standard, section 3.
test("a controller", () => {
  const controller = new AbortController();
  const { signal } = controller;
  ok(signal === controller.signal && signal instanceof AbortSignal && signal instanceof EventTarget, "its signal");
  eq([signal.aborted, signal.reason, signal.onabort], [false, undefined, null]);
  eq(signal.throwIfAborted(), undefined);
  let events = 0;
  signal.addEventListener("abort", (event) => {
    events++;
    eq([event.type, event.isTrusted, event.bubbles, event.cancelable, event.target === signal, signal.aborted], ["abort", true, false, false, true, true]);
  });
  eq(controller.abort(), undefined);
  controller.abort("again");
  eq([signal.aborted, events, signal.reason.name, signal.reason instanceof DOMException], [true, 1, "AbortError", true]);
  ok(throws("AbortError", () => signal.throwIfAborted()) === signal.reason, "the reason itself");
});

table("a reason", [["text"], [0], [null], [false], [Symbol.iterator]], (reason) => {
  const controller = new AbortController();
  controller.abort(reason);
  ok(controller.signal.reason === reason, "kept");
  ok(AbortSignal.abort(reason).reason === reason, "kept by AbortSignal.abort");
});

test("undefined is no reason", () => {
  const controller = new AbortController();
  controller.abort(undefined);
  eq(controller.signal.reason.name, "AbortError");
});

test("AbortSignal.abort", () => {
  const signal = AbortSignal.abort();
  eq([signal.aborted, signal.reason.name, signal.reason.code], [true, "AbortError", 20]);
  throws(TypeError, () => new AbortSignal());
  throws(TypeError, () => AbortSignal());
});

test("onabort", () => {
  const controller = new AbortController();
  const order = [];
  controller.signal.onabort = () => order.push("first");
  controller.signal.addEventListener("abort", () => order.push("listener"));
  controller.signal.onabort = function (event) {
    order.push("handler", this === controller.signal, event.type);
  };
  controller.abort();
  eq(order, ["handler", true, "abort", "listener"], "in its first place");
  const other = new AbortController();
  other.signal.onabort = () => order.push("never");
  other.signal.onabort = null;
  other.abort();
  eq([order.length, other.signal.onabort], [4, null]);
  other.signal.onabort = 5;
  eq(other.signal.onabort, null);
});

test("AbortSignal.timeout", async () => {
  const signal = AbortSignal.timeout(1);
  eq(signal.aborted, false);
  await new Promise((resolve) => (signal.onabort = resolve));
  eq([signal.reason.name, signal.reason.code, signal.reason instanceof DOMException], ["TimeoutError", 23, true]);
  throws(TypeError, () => AbortSignal.timeout());
  throws(TypeError, () => AbortSignal.timeout(-1));
  throws(TypeError, () => AbortSignal.timeout(NaN));
  throws(TypeError, () => AbortSignal.timeout(Infinity));
  throws(TypeError, () => AbortSignal.timeout(2 ** 53));
  eq(AbortSignal.timeout(2 ** 53 - 1).aborted, false);
});

test("timeouts in order", async () => {
  const order = [];
  const wait = (time) => new Promise((resolve) => AbortSignal.timeout(time).addEventListener("abort", () => resolve(order.push(time))));
  await Promise.all([wait(20), wait(1), wait(10)]);
  eq(order, [1, 10, 20]);
});

test("AbortSignal.any", () => {
  const [a, b] = [new AbortController(), new AbortController()];
  const any = AbortSignal.any([a.signal, b.signal]);
  eq(any.aborted, false);
  const reason = {};
  b.abort(reason);
  a.abort("late");
  ok(any.aborted && any.reason === reason, "by the first");
  eq(AbortSignal.any([]).aborted, false);
  const before = AbortSignal.any([AbortSignal.abort(1), AbortSignal.abort(2)]);
  eq([before.aborted, before.reason], [true, 1]);
  throws(TypeError, () => AbortSignal.any());
  throws(TypeError, () => AbortSignal.any([{}]));
  throws(TypeError, () => AbortSignal.any(1));
});

test("any of any", () => {
  const controller = new AbortController();
  const inner = AbortSignal.any([controller.signal]);
  const outer = AbortSignal.any([inner, new AbortController().signal]);
  const order = [];
  for (const [name, signal] of [["outer", outer], ["inner", inner], ["source", controller.signal]]) {
    signal.addEventListener("abort", () => order.push([name, outer.aborted, inner.aborted]));
  }
  controller.abort(5);
  eq(order, [["source", true, true], ["inner", true, true], ["outer", true, true]], "all are aborted before any is told");
  eq([outer.reason, inner.reason], [5, 5]);
});

test("a signal twice, and any with its own", () => {
  const controller = new AbortController();
  const any = AbortSignal.any([controller.signal, controller.signal]);
  let events = 0;
  any.onabort = () => events++;
  controller.abort();
  eq(events, 1);
});

test("a listener added with a signal goes with it", () => {
  const controller = new AbortController();
  const target = new EventTarget();
  let calls = 0;
  target.addEventListener("x", () => calls++, { signal: controller.signal });
  target.dispatchEvent(new Event("x"));
  controller.abort();
  target.dispatchEvent(new Event("x"));
  target.addEventListener("x", () => calls++, { signal: controller.signal });
  target.dispatchEvent(new Event("x"));
  eq(calls, 1);
  throws(TypeError, () => target.addEventListener("x", () => {}, { signal: null }));
  throws(TypeError, () => target.addEventListener("x", () => {}, { signal: {} }));
});

test("aborting a listener's signal while it is called", () => {
  const controller = new AbortController();
  const target = new EventTarget();
  const order = [];
  target.addEventListener("x", () => { order.push(1); controller.abort(); });
  target.addEventListener("x", () => order.push(2), { signal: controller.signal });
  target.dispatchEvent(new Event("x"));
  eq(order, [1]);
});

test("the classes", () => {
  eq(Object.prototype.toString.call(new AbortController()), "[object AbortController]");
  eq(Object.prototype.toString.call(AbortSignal.abort()), "[object AbortSignal]");
  throws(TypeError, () => Object.getOwnPropertyDescriptor(AbortSignal.prototype, "aborted").get.call({}));
  throws(TypeError, () => AbortController());
});
