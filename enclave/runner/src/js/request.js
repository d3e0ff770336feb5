// `Request`: the Fetch standard, section 5.3.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { isAborted, isSignal, makeSignal, abort, reasonOf, whenAborted } = internals.abort;
  const { bodyOf, extract, mixBody, take } = internals.body;
  const { Headers, append, copy, has } = internals.headers;
  const { parsed } = internals.url;
  const { asInterface, byteString, dictionary, domString, enumeration, need, platform, usvString } = internals.webidl;
  const { ArrayPrototypePush, RegExpPrototypeTest, SafeRegExp, StringPrototypeToUpperCase, TypeError } = primordials;

  const TOKEN = new SafeRegExp("^[!#$%&'*+\\-.^_\\x60|~0-9A-Za-z]+$");

  // What only a browser heeds is checked, kept and shown; nothing here depends on it.
  const CHOICES = {
    __proto__: null,
    referrerPolicy: [
      "", "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin",
      "origin-when-cross-origin", "strict-origin-when-cross-origin", "unsafe-url",
    ],
    mode: ["same-origin", "no-cors", "cors"],
    credentials: ["omit", "same-origin", "include"],
    cache: ["default", "no-store", "reload", "no-cache", "force-cache"],
    redirect: ["follow", "error", "manual"],
  };

  let isRequest;
  let stateOf;

  class Request {
    static {
      ArrayPrototypePush(platform, (value) => #state in value);
    }

    #state;

    static {
      isRequest = (value) => typeof value === "object" && value !== null && #state in value;
      stateOf = (request) => request.#state;
    }

    constructor(input, init = undefined) {
      need(1, arguments.length, "Request");
      const from = isRequest(input) ? input.#state : undefined;
      const url = from === undefined ? addressOf(usvString(input)) : from.url;
      const options = dictionary(init, "Request: options");
      const { body, headers, integrity, keepalive, method, signal } = options;
      if (options.window !== undefined && options.window !== null) throw new TypeError("Request: window must be null");
      if (integrity !== undefined && domString(integrity) !== "") {
        throw new TypeError("Request: integrity is not checked here; compare crypto.subtle.digest of the body");
      }
      const state = {
        __proto__: null,
        url,
        method: method === undefined ? from?.method ?? "GET" : checkMethod(byteString(method)),
        headers: undefined,
        body: undefined,
        signal: undefined,
        keepalive: keepalive === undefined ? from?.keepalive ?? false : !!keepalive,
        referrerPolicy: from?.referrerPolicy ?? "",
        mode: from?.mode ?? "cors",
        credentials: from?.credentials ?? "same-origin",
        cache: from?.cache ?? "default",
        redirect: from?.redirect ?? "follow",
      };
      for (const name in CHOICES) {
        const chosen = options[name];
        if (chosen !== undefined) state[name] = enumeration(chosen, CHOICES[name], "Request: " + name);
      }
      let follow = from?.signal;
      if (signal !== undefined) {
        if (signal !== null && !isSignal(signal)) throw new TypeError("Request: signal must be an AbortSignal");
        follow = signal;
      }
      state.signal = follower(follow);
      state.headers = headers === undefined && from !== undefined ? copy(from.headers) : new Headers(headers);
      state.body = bodyFor(state, from, body);
      this.#state = state;
    }

    get method() {
      return this.#state.method;
    }

    get url() {
      return this.#state.url;
    }

    get headers() {
      return this.#state.headers;
    }

    get destination() {
      this.#state;
      return "";
    }

    get referrer() {
      this.#state;
      return "about:client";
    }

    get referrerPolicy() {
      return this.#state.referrerPolicy;
    }

    get mode() {
      return this.#state.mode;
    }

    get credentials() {
      return this.#state.credentials;
    }

    get cache() {
      return this.#state.cache;
    }

    get redirect() {
      return this.#state.redirect;
    }

    get integrity() {
      this.#state;
      return "";
    }

    get keepalive() {
      return this.#state.keepalive;
    }

    get signal() {
      return this.#state.signal;
    }

    get duplex() {
      this.#state;
      return "half";
    }

    clone() {
      const from = this.#state;
      if (from.body.used) throw new TypeError("clone: the body was already read");
      const made = new Request(from.url);
      made.#state = {
        __proto__: null,
        ...from,
        headers: copy(from.headers),
        body: bodyOf(from.body.bytes),
        signal: follower(from.signal),
      };
      return made;
    }
  }

  function addressOf(text) {
    const address = parsed(text);
    if (address === undefined) throw new TypeError("Request: the URL does not parse; it must be absolute");
    if (address.hasCredentials) throw new TypeError("Request: a URL with credentials; send a header instead");
    return address.href;
  }

  // Section 2.2.1, "normalize" and "forbidden method".
  function checkMethod(method) {
    if (!RegExpPrototypeTest(TOKEN, method)) throw new TypeError("Request: the method is no token");
    const upper = StringPrototypeToUpperCase(method);
    switch (upper) {
      case "CONNECT":
      case "TRACE":
      case "TRACK":
        throw new TypeError("Request: the method " + upper + " is not allowed");
      case "DELETE":
      case "GET":
      case "HEAD":
      case "OPTIONS":
      case "POST":
      case "PUT":
        return upper;
      default:
        return method;
    }
  }

  // A signal of its own, which is aborted with the one that was given.
  function follower(signal) {
    const own = makeSignal();
    if (signal === undefined || signal === null) return own;
    if (isAborted(signal)) abort(own, reasonOf(signal));
    else whenAborted(signal, (reason) => abort(own, reason));
    return own;
  }

  function bodyFor(state, from, given) {
    const inherits = (given === undefined || given === null) && from !== undefined && from.body.bytes !== undefined;
    if (((given !== undefined && given !== null) || inherits) && (state.method === "GET" || state.method === "HEAD")) {
      throw new TypeError("a " + state.method + " request has no body");
    }
    if (inherits) return bodyOf(take(from.body));
    const { bytes, type } = extract(given);
    if (type !== undefined && !has(state.headers, "content-type")) append(state.headers, "content-type", type);
    return bodyOf(bytes);
  }

  mixBody(Request, (request) => stateOf(request).body, (request) => stateOf(request).headers);
  asInterface(Request, "Request");

  internals.request = { Request, isRequest, stateOf };
}
