// The bodies of requests and responses: the Fetch standard, sections 5.2 and 5.3. Whole, never in pieces.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { bytesOf, isBlob, makeBlob, typeOf } = internals.blob;
  const { copyOf, decodeUtf8, encodeUtf8, viewOf } = internals.bytes;
  const { get } = internals.headers;
  const { isParams, queryOf } = internals.urlsearchparams;
  const { define, usvString } = internals.webidl;

  const { JSONParse, ObjectDefineProperty, StringPrototypeToLowerCase, TypeError, TypedArrayPrototypeGetBuffer, Uint8Array } =
    primordials;

  /** Section 5.2, "extract": the bytes of a body and the content type they imply; no bytes for no body. */
  function extract(body) {
    if (body === undefined || body === null) return { __proto__: null, bytes: undefined, type: undefined };
    const view = viewOf(body);
    if (view !== undefined) return { __proto__: null, bytes: copyOf(view), type: undefined };
    if (isBlob(body)) {
      const type = typeOf(body);
      return { __proto__: null, bytes: bytesOf(body), type: type === "" ? undefined : type };
    }
    if (isParams(body)) {
      return {
        __proto__: null,
        bytes: encodeUtf8(queryOf(body)),
        type: "application/x-www-form-urlencoded;charset=UTF-8",
      };
    }
    return { __proto__: null, bytes: encodeUtf8(usvString(body)), type: "text/plain;charset=UTF-8" };
  }

  /** A body's state, kept by the object whose body it is. */
  function bodyOf(bytes) {
    return { __proto__: null, bytes, used: false };
  }

  /** The bytes, which nobody may read again. */
  function take(body) {
    if (body.used) throw new TypeError("the body was already read");
    body.used = body.bytes !== undefined;
    return body.bytes ?? new Uint8Array(0);
  }

  /** Puts the members of the `Body` mixin on a class; `stateOf` gives an instance's body and headers, or throws. */
  function mixBody(Class, stateOf, headersOf) {
    const methods = {
      __proto__: null,
      async arrayBuffer() {
        return TypedArrayPrototypeGetBuffer(copyOf(take(stateOf(this))));
      },
      async blob() {
        const bytes = copyOf(take(stateOf(this)));
        return makeBlob(bytes, StringPrototypeToLowerCase(get(headersOf(this), "content-type") ?? ""));
      },
      async bytes() {
        return copyOf(take(stateOf(this)));
      },
      async json() {
        return JSONParse(decodeUtf8(take(stateOf(this))));
      },
      async text() {
        return decodeUtf8(take(stateOf(this)));
      },
    };
    for (const name in methods) define(Class.prototype, name, methods[name], true);
    ObjectDefineProperty(Class.prototype, "bodyUsed", {
      __proto__: null,
      configurable: true,
      enumerable: true,
      get() {
        return stateOf(this).used;
      },
      set: undefined,
    });
  }

  internals.body = { bodyOf, extract, mixBody, take };
}
