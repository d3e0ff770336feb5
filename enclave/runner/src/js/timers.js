// `setTimeout` and its kin: HTML, section 8.6. What to run, by number; when to run it, the process around the engine knows.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_timer_start, op_r3e_timer_stop } = core.ops;
  const { need } = internals.webidl;
  const { MapPrototypeClear, RangeError, ReflectApply, SafeMap, TypeError } = primordials;

  const MAX_TIMERS = 10_000;
  // An interval of nothing would leave no time for anything else.
  const MIN_INTERVAL_MS = 1;

  const running = new SafeMap();
  let lastId = 0;

  function start(callback, delay, values, repeat) {
    // The standard also takes source text, which here is only a way to err: there is `eval` for those who mean it.
    if (typeof callback !== "function") throw new TypeError("a timer's callback must be a function");
    if (running.size >= MAX_TIMERS) throw new RangeError("more than " + MAX_TIMERS + " timers at once");
    // A signed 32-bit number of milliseconds, as Web IDL's `long` wraps; below zero is at once.
    let delayMs = +delay | 0;
    if (delayMs < 0) delayMs = 0;
    if (repeat && delayMs < MIN_INTERVAL_MS) delayMs = MIN_INTERVAL_MS;
    const id = ++lastId;
    running.set(id, { __proto__: null, callback, values, repeat, delayMs });
    op_r3e_timer_start(id, delayMs);
    return id;
  }

  function stop(id) {
    const number = +id | 0;
    if (running.delete(number)) op_r3e_timer_stop(number);
  }

  /** Runs what is due under this number. */
  function fireTimer(id) {
    const timer = running.get(id);
    if (timer === undefined) return;
    if (timer.repeat) op_r3e_timer_start(id, timer.delayMs);
    else running.delete(id);
    try {
      ReflectApply(timer.callback, globalThis, timer.values);
    } catch (thrown) {
      internals.dispatch.failThrown(thrown);
    }
  }

  function setTimeout(callback, delay = 0, ...values) {
    need(1, arguments.length, "setTimeout");
    return start(callback, delay, values, false);
  }

  function setInterval(callback, delay = 0, ...values) {
    need(1, arguments.length, "setInterval");
    return start(callback, delay, values, true);
  }

  function clearTimeout(id = 0) {
    stop(id);
  }

  function clearInterval(id = 0) {
    stop(id);
  }

  /** HTML, section 8.1.4.6: what nobody caught ends the invocation. */
  function reportError(error) {
    need(1, arguments.length, "reportError");
    internals.dispatch.failThrown(error);
  }

  internals.timers = {
    clearInterval,
    clearTimeout,
    fireTimer,
    forgetTimers: () => MapPrototypeClear(running),
    reportError,
    setInterval,
    setTimeout,
  };
}
