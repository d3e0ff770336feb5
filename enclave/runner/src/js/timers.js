// `setTimeout` and its kin: what to run, by number. When to run it, the process around the engine knows.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_timer_start, op_r3e_timer_stop } = core.ops;
  const { MapPrototypeClear, MathTrunc, Number, RangeError, ReflectApply, SafeMap, TypeError } = primordials;

  const MAX_TIMERS = 10_000;
  // As in browsers: a delay is a signed 32-bit number of milliseconds, and any other is the shortest.
  const MAX_DELAY_MS = 2 ** 31 - 1;
  const MIN_INTERVAL_MS = 1;

  const running = new SafeMap();
  let lastId = 0;

  function start(callback, delay, values, repeat) {
    if (typeof callback !== "function") throw new TypeError("a timer's callback must be a function");
    if (running.size >= MAX_TIMERS) throw new RangeError(`more than ${MAX_TIMERS} timers at once`);
    let delayMs = MathTrunc(Number(delay));
    if (!(delayMs >= 0 && delayMs <= MAX_DELAY_MS)) delayMs = 0;
    if (repeat && delayMs < MIN_INTERVAL_MS) delayMs = MIN_INTERVAL_MS;
    const id = ++lastId;
    running.set(id, { __proto__: null, callback, values, repeat, delayMs });
    op_r3e_timer_start(id, delayMs);
    return id;
  }

  function stop(id) {
    const number = Number(id);
    if (running.delete(number)) op_r3e_timer_stop(number);
  }

  /** Runs what is due under this number. */
  function fireTimer(id) {
    const timer = running.get(id);
    if (timer === undefined) return;
    if (timer.repeat) op_r3e_timer_start(id, timer.delayMs);
    else running.delete(id);
    try {
      ReflectApply(timer.callback, undefined, timer.values);
    } catch (thrown) {
      internals.dispatch.failThrown(thrown);
    }
  }

  internals.timers = {
    clearInterval: (id) => stop(id),
    clearTimeout: (id) => stop(id),
    fireTimer,
    forgetTimers: () => MapPrototypeClear(running),
    setInterval: (callback, delay = 0, ...values) => start(callback, delay, values, true),
    setTimeout: (callback, delay = 0, ...values) => start(callback, delay, values, false),
  };
}
