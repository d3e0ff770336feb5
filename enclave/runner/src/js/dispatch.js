// Hands an event to the handler and the handler's result, or its failure, to the process around the engine.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_fail, op_r3e_finish, op_r3e_max_output_bytes } = core.ops;
  const { describe } = internals.errors;

  const { JSONParse, JSONStringify, Promise, PromisePrototypeThen, ReflectApply } = primordials;

  // The names of the protocol's fault kinds.
  const THROWN = "thrown";
  const UNHANDLED = "unhandled_rejection";
  const EVENT = "event";
  const NOT_JSON = "result_not_json";
  const TOO_LARGE = "result_too_large";

  function fail(kind, thrown) {
    const { name, message, stack } = describe(thrown);
    op_r3e_fail(kind, name, message, stack);
  }

  function finish(value) {
    if (value === undefined) return op_r3e_finish("null");
    if (typeof value === "function" || typeof value === "symbol") {
      return op_r3e_fail(NOT_JSON, "TypeError", "a " + (typeof value) + " has no JSON form", "");
    }
    let text;
    try {
      text = JSONStringify(value);
    } catch (thrown) {
      return fail(NOT_JSON, thrown);
    }
    if (typeof text !== "string") {
      return op_r3e_fail(NOT_JSON, "TypeError", "the result has no JSON form", "");
    }
    // Before the text leaves the engine's heap; its UTF-8 is never shorter than its units.
    if (text.length > op_r3e_max_output_bytes()) {
      return op_r3e_fail(TOO_LARGE, "RangeError", "the result is longer than the function's limit", "");
    }
    return op_r3e_finish(text);
  }

  /** Runs one event. Never throws; the outcome goes out through an op, now or later. */
  function dispatch(handler, eventText) {
    let event;
    try {
      event = JSONParse(eventText);
    } catch (thrown) {
      return fail(EVENT, thrown);
    }
    try {
      const result = ReflectApply(handler, undefined, [event]);
      if (result === null || (typeof result !== "object" && typeof result !== "function")) {
        return finish(result);
      }
      // As `await` does: a promise is not asked for its `then`.
      const promise = core.isPromise(result) ? result : new Promise((resolve) => resolve(result));
      PromisePrototypeThen(promise, finish, (thrown) => fail(THROWN, thrown));
    } catch (thrown) {
      fail(THROWN, thrown);
    }
    return undefined;
  }

  core.setUnhandledPromiseRejectionHandler((_promise, reason) => {
    fail(UNHANDLED, reason);
    return true;
  });
  const failThrown = (thrown) => fail(THROWN, thrown);
  core.setReportExceptionCallback(failThrown);

  internals.dispatch = { dispatch, failThrown };
}
