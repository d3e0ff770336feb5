// Puts the web's names and ours on the global object, removes everything else, and gives the process around the
// engine the functions that it calls.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_register } = core.ops;
  const { TextDecoder, TextEncoder, atob, btoa } = internals.bytes;
  const { console } = internals.console;
  const { crypto } = internals.crypto;
  const { dispatch } = internals.dispatch;
  const { Request, Response, fetch } = internals.fetch;
  const { Headers } = internals.headers;
  const { answerCall, forgetCalls } = internals.host;
  const { r3e } = internals.r3e;
  const { seal } = internals.seal;
  const {
    clearInterval,
    clearTimeout,
    fireTimer,
    forgetTimers,
    setInterval,
    setTimeout,
  } = internals.timers;
  const { URL, URLSearchParams } = internals.url;

  const { Date, DatePrototypeGetTimezoneOffset, ObjectDefineProperty, ObjectKeys } = primordials;

  const surface = {
    Headers,
    Request,
    Response,
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
    r3e,
    setInterval,
    setTimeout,
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

  seal();
  op_r3e_register(dispatch, answerCall, fireTimer, () => {
    forgetCalls();
    forgetTimers();
  });
}
