// `fetch`, `Request` and `Response`. The enclave process makes the connection, checks that the function may,
// and sends the whole response back at once; nothing streams.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { copyOf, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8, viewOf } = internals.bytes;
  const { Headers, listOf } = internals.headers;
  const { hostCall } = internals.host;
  const { URL, URLSearchParams } = internals.url;

  const {
    ArrayPrototypePush,
    JSONParse,
    ObjectPrototypeIsPrototypeOf,
    ObjectSetPrototypeOf,
    RangeError,
    StringPrototypeToUpperCase,
    TypeError,
    TypedArrayPrototypeGetBuffer,
    Uint8Array,
  } = primordials;

  const URLSearchParamsPrototype = URLSearchParams.prototype;
  const ParamsToString = primordials.uncurryThis(URLSearchParams.prototype.toString);
  const HeadersHas = primordials.uncurryThis(Headers.prototype.has);
  const HeadersAppend = primordials.uncurryThis(Headers.prototype.append);

  const NULL_BODY_STATUS = [101, 204, 205, 304];

  // `{ bytes, type }`: the bytes of a body and the content type they imply.
  function extract(body) {
    if (body === undefined || body === null) return { bytes: undefined, type: undefined };
    const view = viewOf(body);
    if (view !== undefined) return { bytes: copyOf(view), type: undefined };
    if (typeof body === "object" && ObjectPrototypeIsPrototypeOf(URLSearchParamsPrototype, body)) {
      return { bytes: encodeUtf8(ParamsToString(body)), type: "application/x-www-form-urlencoded;charset=UTF-8" };
    }
    return { bytes: encodeUtf8(`${body}`), type: "text/plain;charset=UTF-8" };
  }

  class Body {
    #bytes;
    #used = false;

    constructor(bytes) {
      this.#bytes = bytes;
    }

    get bodyUsed() {
      return this.#used;
    }

    #take() {
      if (this.#used) throw new TypeError("the body was already read");
      this.#used = this.#bytes !== undefined;
      return this.#bytes ?? new Uint8Array(0);
    }

    async bytes() {
      return this.#take();
    }

    async arrayBuffer() {
      return TypedArrayPrototypeGetBuffer(this.#take());
    }

    async text() {
      return decodeUtf8(this.#take());
    }

    async json() {
      return JSONParse(decodeUtf8(this.#take()));
    }

    static peek(body) {
      if (body.#used) throw new TypeError("the body was already read");
      return body.#bytes;
    }
  }

  const peek = Body.peek;
  delete Body.peek;

  class Request extends Body {
    #url;
    #method;
    #headers;

    constructor(input, init = { __proto__: null }) {
      const from = typeof input === "object" && input !== null && #url in input ? input : undefined;
      const method = StringPrototypeToUpperCase(`${init?.method ?? from?.method ?? "GET"}`);
      const given = init?.body !== undefined ? init.body : from === undefined ? undefined : peek(from);
      const { bytes, type } = extract(given);
      if (bytes !== undefined && (method === "GET" || method === "HEAD")) {
        throw new TypeError(`a ${method} request has no body`);
      }
      super(bytes);
      if (init?.signal !== undefined) throw new TypeError("fetch: signal is not supported");
      this.#url = from === undefined ? new URL(input).href : from.#url;
      this.#method = method;
      this.#headers = new Headers(init?.headers ?? from?.headers);
      if (type !== undefined && !HeadersHas(this.#headers, "content-type")) {
        HeadersAppend(this.#headers, "content-type", type);
      }
    }

    get url() {
      return this.#url;
    }

    get method() {
      return this.#method;
    }

    get headers() {
      return this.#headers;
    }

    clone() {
      return new Request(this);
    }
  }

  class Response extends Body {
    #status;
    #statusText;
    #headers;
    #url = "";

    constructor(body = null, init = { __proto__: null }) {
      const { bytes, type } = extract(body);
      super(bytes);
      const status = init?.status ?? 200;
      if (!(status >= 200 && status <= 599)) throw new RangeError("a response's status is 200 to 599");
      for (let i = 0; i < NULL_BODY_STATUS.length; i++) {
        if (status === NULL_BODY_STATUS[i] && bytes !== undefined) {
          throw new TypeError(`a response with status ${status} has no body`);
        }
      }
      this.#status = status;
      this.#statusText = `${init?.statusText ?? ""}`;
      this.#headers = new Headers(init?.headers);
      if (type !== undefined && !HeadersHas(this.#headers, "content-type")) {
        HeadersAppend(this.#headers, "content-type", type);
      }
    }

    get status() {
      return this.#status;
    }

    get ok() {
      return this.#status >= 200 && this.#status <= 299;
    }

    get statusText() {
      return this.#statusText;
    }

    get headers() {
      return this.#headers;
    }

    get url() {
      return this.#url;
    }

    clone() {
      return Response.#make(peek(this), this.#status, this.#statusText, this.#headers, this.#url);
    }

    // Past the constructor's checks: a server may answer with any status, and a body to any.
    static #make(bytes, status, statusText, headers, url) {
      const filled = new Response(bytes);
      filled.#status = status;
      filled.#statusText = statusText;
      filled.#headers = new Headers(headers);
      filled.#url = url;
      return filled;
    }

    static received(url, reply) {
      const bytes = decodeBase64(reply.body_base64);
      return Response.#make(bytes, reply.status, "", reply.headers, url);
    }
  }

  const received = Response.received;
  delete Response.received;

  async function fetch(input, init = { __proto__: null }) {
    const request = new Request(input, init);
    const bytes = peek(request);
    const headers = [];
    const list = listOf(request.headers);
    for (let i = 0; i < list.length; i++) {
      const pair = [list[i][0], list[i][1]];
      ObjectSetPrototypeOf(pair, null);
      ArrayPrototypePush(headers, pair);
    }
    ObjectSetPrototypeOf(headers, null);
    const reply = await hostCall({
      __proto__: null,
      op: "fetch",
      url: request.url,
      method: request.method,
      headers,
      body_base64: bytes === undefined ? null : encodeBase64(bytes),
    });
    return received(request.url, reply);
  }

  internals.fetch = { Request, Response, fetch };
}
