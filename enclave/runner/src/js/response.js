// `Response`: the Fetch standard, section 5.5.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { bodyOf, extract, mixBody } = internals.body;
  const { decodeBase64, encodeUtf8 } = internals.bytes;
  const { Headers, append, copy, freeze, has } = internals.headers;
  const { parsed } = internals.url;
  const { asInterface, byteString, dictionary, need, platform, unsigned, usvString } = internals.webidl;
  const {
    ArrayPrototypePush,
    JSONStringify,
    RangeError,
    RegExpPrototypeTest,
    SafeRegExp,
    StringPrototypeSlice,
    TypeError,
    TypedArrayPrototypeGetByteLength,
  } = primordials;

  // RFC 9112, section 4, "reason-phrase".
  const REASON = new SafeRegExp("^[\\t\\x20-\\x7e\\x80-\\xff]*$");

  const isNullBody = (status) => status === 101 || status === 103 || status === 204 || status === 205 || status === 304;
  const isRedirect = (status) => status === 301 || status === 302 || status === 303 || status === 307 || status === 308;

  let isResponse;
  let stateOf;
  let make;

  class Response {
    static {
      ArrayPrototypePush(platform, (value) => #state in value);
    }

    #state;

    static {
      isResponse = (value) => typeof value === "object" && value !== null && #state in value;
      stateOf = (response) => response.#state;
      make = (state) => {
        const response = new Response();
        response.#state = state;
        return response;
      };
    }

    constructor(body = null, init = undefined) {
      const options = optionsOf(init);
      this.#state = initialised(options, extract(body));
    }

    static error() {
      return make({
        __proto__: null,
        type: "error",
        status: 0,
        statusText: "",
        headers: freeze(new Headers()),
        body: bodyOf(undefined),
        url: "",
        redirected: false,
      });
    }

    static redirect(url, status = 302) {
      need(1, arguments.length, "Response.redirect");
      const address = parsed(usvString(url));
      const code = unsigned(status, 16);
      if (address === undefined) throw new TypeError("Response.redirect: the URL does not parse");
      if (!isRedirect(code)) throw new RangeError("Response.redirect: the status is none of 301, 302, 303, 307, 308");
      const response = new Response(null, { __proto__: null, status: 200 });
      response.#state.status = code;
      append(response.#state.headers, "location", address.href);
      freeze(response.#state.headers);
      return response;
    }

    static json(data, init = undefined) {
      need(1, arguments.length, "Response.json");
      const text = JSONStringify(data);
      if (typeof text !== "string") throw new TypeError("Response.json: the value has no JSON form");
      const options = optionsOf(init);
      return make(initialised(options, { __proto__: null, bytes: encodeUtf8(usvString(text)), type: "application/json" }));
    }

    get type() {
      return this.#state.type;
    }

    get url() {
      return this.#state.url;
    }

    get redirected() {
      return this.#state.redirected;
    }

    get status() {
      return this.#state.status;
    }

    get ok() {
      const { status } = this.#state;
      return status >= 200 && status <= 299;
    }

    get statusText() {
      return this.#state.statusText;
    }

    get headers() {
      return this.#state.headers;
    }

    clone() {
      const from = this.#state;
      if (from.body.used) throw new TypeError("clone: the body was already read");
      const headers = copy(from.headers);
      return make({
        __proto__: null,
        ...from,
        headers: from.type === "default" ? headers : freeze(headers),
        body: bodyOf(from.body.bytes),
      });
    }
  }

  function optionsOf(init) {
    const { headers, status, statusText } = dictionary(init, "Response: options");
    return {
      __proto__: null,
      headers: headers === undefined ? undefined : new Headers(headers),
      status: status === undefined ? 200 : unsigned(status, 16),
      statusText: statusText === undefined ? "" : byteString(statusText),
    };
  }

  // Section 5.5, "initialize a response".
  function initialised({ headers = new Headers(), status, statusText }, { bytes, type }) {
    if (status < 200 || status > 599) throw new RangeError("a response's status is 200 to 599");
    if (!RegExpPrototypeTest(REASON, statusText)) throw new TypeError("a response's statusText has no control characters");
    if (bytes !== undefined && isNullBody(status)) throw new TypeError("a response with status " + status + " has no body");
    if (type !== undefined && !has(headers, "content-type")) append(headers, "content-type", type);
    return { __proto__: null, type: "default", status, statusText, headers, body: bodyOf(bytes), url: "", redirected: false };
  }

  /** A server's answer, past the constructor's checks: any status, and a body to any. */
  function received(address, redirected, reply) {
    const headers = new Headers();
    for (let i = 0; i < reply.headers.length; i++) append(headers, reply.headers[i][0], reply.headers[i][1]);
    const bytes = decodeBase64(reply.body_base64);
    const empty = TypedArrayPrototypeGetByteLength(bytes) === 0 && isNullBody(reply.status);
    // The address without its fragment.
    const url = StringPrototypeSlice(address.href, 0, address.href.length - address.hash.length);
    return make({
      __proto__: null,
      type: "basic",
      status: reply.status,
      statusText: "",
      headers: freeze(headers),
      body: bodyOf(empty ? undefined : bytes),
      url,
      redirected,
    });
  }

  mixBody(Response, (response) => stateOf(response).body, (response) => stateOf(response).headers);
  asInterface(Response, "Response");

  internals.response = { Response, isRedirect, isResponse, received };
}
