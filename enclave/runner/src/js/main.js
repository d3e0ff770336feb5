// Puts the web's names and ours on the global object, removes everything else, and gives the process around the
// engine the functions that it calls.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_register } = core.ops;
  const { AbortController, AbortSignal } = internals.abort;
  const { Blob } = internals.blob;
  const { structuredClone } = internals.clone;
  const { console, forgetLabels } = internals.console;
  const { Crypto, SubtleCrypto, crypto } = internals.crypto;
  const { CryptoKey } = internals.cryptokey;
  const { dispatch } = internals.dispatch;
  const { DOMException } = internals.domexception;
  const { TextDecoder, TextEncoder, atob, btoa } = internals.encoding;
  const { CustomEvent, Event, EventTarget } = internals.events;
  const { fetch } = internals.fetch;
  const { Headers } = internals.headers;
  const { answerCall, forgetCalls } = internals.host;
  const { Performance, performance } = internals.performance;
  const { r3e } = internals.r3e;
  const { Request } = internals.request;
  const { Response } = internals.response;
  const { seal } = internals.seal;
  const { clearInterval, clearTimeout, fireTimer, forgetTimers, reportError, setInterval, setTimeout } = internals.timers;
  const { URL } = internals.url;
  const { URLSearchParams } = internals.urlsearchparams;

  const { Date, DatePrototypeGetTimezoneOffset, ObjectDefineProperty, ObjectKeys } = primordials;

  const surface = {
    AbortController,
    AbortSignal,
    Blob,
    Crypto,
    CryptoKey,
    CustomEvent,
    DOMException,
    Event,
    EventTarget,
    Headers,
    Performance,
    Request,
    Response,
    SubtleCrypto,
    TextDecoder,
    TextEncoder,
    URL,
    URLSearchParams,
    atob,
    btoa,
    clearInterval,
    clearTimeout,
    console,
    crypto,
    fetch,
    performance,
    r3e,
    reportError,
    setInterval,
    setTimeout,
    structuredClone,
  };

  const names = ObjectKeys(surface);
  for (let i = 0; i < names.length; i++) {
    ObjectDefineProperty(globalThis, names[i], {
      __proto__: null,
      configurable: true,
      enumerable: false,
      value: surface[names[i]],
      writable: true,
    });
  }

  // The C library looks for the time zone once; it must do so before files are out of reach.
  DatePrototypeGetTimezoneOffset(new Date());

  seal(names);
  op_r3e_register(dispatch, answerCall, fireTimer, () => {
    forgetCalls();
    forgetLabels();
    forgetTimers();
  });
}
