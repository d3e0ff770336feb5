// HTML, sections 8.1.8 (microtasks) and 8.6 (timers); High Resolution Time.
const later = (delay) => new Promise((resolve) => setTimeout(resolve, delay));

test("in order of time, then of call", async () => {
  const order = [];
  setTimeout(() => order.push("30"), 30);
  setTimeout(() => order.push("0a"), 0);
  setTimeout(() => order.push("0b"), 0);
  setTimeout(() => order.push("10"), 10);
  queueMicrotask(() => order.push("micro"));
  Promise.resolve().then(() => order.push("promise"));
  order.push("now");
  await later(60);
  eq(order, ["now", "micro", "promise", "0a", "0b", "10", "30"]);
});

test("arguments and this", async () => {
  const seen = await new Promise((resolve) => setTimeout(function (...values) { resolve([this === globalThis || typeof this === "object", values]); }, 0, 1, "b"));
  eq(seen, [true, [1, "b"]]);
});

table("a delay that is at once", [[-1], [NaN], ["x"], [undefined], [null], [-Infinity], [Infinity], [2 ** 32], ["0"]], async (delay) => {
  const before = performance.now();
  await later(delay);
  ok(performance.now() - before < 20_000, "not for ever");
});

test("a number for each, and none twice", () => {
  const [a, b] = [setTimeout(() => {}, 1e9), setInterval(() => {}, 1e9)];
  ok(Number(a) > 0 && Number(b) > Number(a), "rising");
  clearInterval(a);
  clearTimeout(b);
});

test("clearing", async () => {
  let calls = 0;
  const timer = setTimeout(() => calls++, 5);
  clearTimeout(timer);
  clearTimeout(timer);
  for (const nothing of [undefined, null, 0, -1, 1e9, "x", {}]) clearTimeout(nothing);
  const text = setTimeout(() => calls++, 5);
  clearTimeout(`${Number(text)}`);
  await later(20);
  eq(calls, 0);
});

test("an interval", async () => {
  let calls = 0;
  await new Promise((resolve) => {
    const timer = setInterval((value) => {
      calls += value;
      if (calls === 6) {
        clearInterval(timer);
        resolve();
      }
    }, 1, 2);
  });
  await later(10);
  eq(calls, 6);
});

test("a timer that clears another which is due", async () => {
  const order = [];
  const second = { timer: undefined };
  setTimeout(() => { order.push(1); clearTimeout(second.timer); }, 0);
  second.timer = setTimeout(() => order.push(2), 0);
  await later(20);
  eq(order, [1]);
});

test("microtasks run before the next timer", async () => {
  const order = [];
  setTimeout(() => { order.push("t1"); queueMicrotask(() => order.push("m1")); }, 0);
  setTimeout(() => order.push("t2"), 0);
  await later(20);
  eq(order, ["t1", "m1", "t2"]);
});

test("what is no callback", () => {
  for (const wrong of [undefined, null, 1, {}]) throws(TypeError, () => setTimeout(wrong));
  throws(TypeError, () => setTimeout());
  throws(TypeError, () => queueMicrotask());
  throws(TypeError, () => queueMicrotask(null));
  throws(TypeError, () => setTimeout(() => {}, Symbol("s")));
  throws(TypeError, () => setTimeout(() => {}, 1n));
});

test("source text as a callback", () => {
  const timer = setTimeout("globalThis.ran = 1", 1e9);
  clearTimeout(timer);
});

test("performance.now", async () => {
  const times = [];
  for (let i = 0; i < 100; i++) times.push(performance.now());
  ok(times.every((time, i) => time >= 0 && (i === 0 || time >= times[i - 1])), "never back");
  ok(times.every(Number.isInteger), "whole milliseconds");
  const before = performance.now();
  await later(15);
  ok(performance.now() - before >= 14, "it goes on");
  ok(Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5_000, "it began then");
  eq(Object.keys(performance.toJSON()), ["timeOrigin"]);
  ok(performance instanceof EventTarget, "an EventTarget");
  throws(TypeError, () => new Performance());
});
