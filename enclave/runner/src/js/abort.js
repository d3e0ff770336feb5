// `AbortController` and `AbortSignal`: the DOM standard, section 3.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { DOMException } = internals.domexception;
  const { EventTarget, OURS, fire, handlerAttribute, illegal } = internals.events;
  const { setTimeout } = internals.timers;
  const { asInterface, enforceRange, list, need, platform, sequence } = internals.webidl;
  const { ArrayPrototypePush, MathMin, NumberMAX_SAFE_INTEGER, TypeError } = primordials;

  const MAX_DELAY_MS = 2 ** 31 - 1;

  let isSignal;
  let isAborted;
  let reasonOf;
  let whenAborted;
  let abort;
  let makeSignal;

  class AbortSignal extends EventTarget {
    #aborted = false;
    #reason = undefined;
    #steps = list();
    // Of a signal made by `any`: those it follows. Of any other: those that follow it.
    #followed = undefined;
    #followers = list();
    #handler = { __proto__: null, value: null, listener: undefined };

    static {
      isSignal = (value) => typeof value === "object" && value !== null && #aborted in value;
      isAborted = (signal) => signal.#aborted;
      reasonOf = (signal) => signal.#reason;
      makeSignal = () => new AbortSignal(OURS);
      whenAborted = (signal, step) => {
        if (!signal.#aborted) ArrayPrototypePush(signal.#steps, step);
      };
      // Section 3.2, "signal abort": every signal has its reason before any script is told of one.
      abort = (signal, reason) => {
        if (signal.#aborted) return;
        signal.#set(reason);
        const following = list();
        for (let i = 0; i < signal.#followers.length; i++) {
          const follower = signal.#followers[i];
          if (follower.#aborted) continue;
          follower.#set(signal.#reason);
          ArrayPrototypePush(following, follower);
        }
        signal.#tell();
        for (let i = 0; i < following.length; i++) following[i].#tell();
      };
    }

    constructor(token = undefined) {
      illegal(token);
      super();
    }

    #set(reason) {
      this.#aborted = true;
      this.#reason = reason === undefined ? new DOMException("the operation was aborted", "AbortError") : reason;
    }

    #tell() {
      const steps = this.#steps;
      this.#steps = list();
      for (let i = 0; i < steps.length; i++) steps[i](this.#reason);
      fire(this, "abort");
    }

    #follow(signal) {
      if (signal.#followed === undefined) {
        ArrayPrototypePush(signal.#followers, this);
        ArrayPrototypePush(this.#followed, signal);
        return;
      }
      for (let i = 0; i < signal.#followed.length; i++) this.#follow(signal.#followed[i]);
    }

    static abort(reason = undefined) {
      const signal = makeSignal();
      signal.#set(reason);
      return signal;
    }

    static timeout(milliseconds) {
      need(1, arguments.length, "AbortSignal.timeout");
      const delay = enforceRange(milliseconds, NumberMAX_SAFE_INTEGER, "AbortSignal.timeout: the time");
      const signal = makeSignal();
      const late = () => abort(signal, new DOMException("the time is over", "TimeoutError"));
      setTimeout(late, MathMin(delay, MAX_DELAY_MS));
      return signal;
    }

    static any(signals) {
      need(1, arguments.length, "AbortSignal.any");
      const given = sequence(signals, needSignal, "AbortSignal.any: the signals");
      const signal = makeSignal();
      for (let i = 0; i < given.length; i++) {
        if (given[i].#aborted) {
          signal.#set(given[i].#reason);
          return signal;
        }
      }
      signal.#followed = list();
      for (let i = 0; i < given.length; i++) signal.#follow(given[i]);
      return signal;
    }

    get aborted() {
      return this.#aborted;
    }

    get reason() {
      return this.#reason;
    }

    throwIfAborted() {
      if (this.#aborted) throw this.#reason;
    }

    get onabort() {
      return this.#handler.value;
    }

    set onabort(value) {
      handlerAttribute(this, "abort", this.#handler, value);
    }
  }

  function needSignal(value) {
    if (!isSignal(value)) throw new TypeError("not an AbortSignal");
    return value;
  }

  class AbortController {
    static {
      ArrayPrototypePush(platform, (value) => #signal in value);
    }

    #signal = makeSignal();

    get signal() {
      return this.#signal;
    }

    abort(reason = undefined) {
      abort(this.#signal, reason);
    }
  }

  asInterface(AbortSignal, "AbortSignal");
  asInterface(AbortController, "AbortController");

  internals.abort = { AbortController, AbortSignal, abort, isAborted, isSignal, makeSignal, needSignal, reasonOf, whenAborted };
}
