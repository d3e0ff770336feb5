// The one way out: a request to the enclave process, as JSON, answered later by number.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_host_call } = core.ops;
  const { Error, JSONParse, JSONStringify, MapPrototypeClear, Promise, SafeMap } = primordials;

  const waiting = new SafeMap();

  /** What a refused or failed host call throws; `code` is stable, `message` is for people. */
  class HostError extends Error {
    constructor(code, message) {
      super(message);
      this.name = "HostError";
      this.code = code;
    }
  }

  /** Sends a call, whose objects must have no prototype, and gives what came back. */
  function hostCall(call) {
    return new Promise((resolve, reject) => {
      const sent = JSONParse(op_r3e_host_call(JSONStringify(call)));
      if (sent.err !== null) reject(new HostError(sent.err.code, sent.err.message));
      else waiting.set(sent.call_id, { __proto__: null, resolve, reject });
    });
  }

  /** Settles the call of this number. */
  function answerCall(callId, text) {
    const call = waiting.get(callId);
    if (call === undefined) return;
    waiting.delete(callId);
    const answer = JSONParse(text);
    if (answer.err !== null) call.reject(new HostError(answer.err.code, answer.err.message));
    else call.resolve(answer.ok);
  }

  internals.host = { answerCall, forgetCalls: () => MapPrototypeClear(waiting), hostCall };
}
