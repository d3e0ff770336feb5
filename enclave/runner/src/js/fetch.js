// `fetch`: the Fetch standard, sections 4 and 5.6. The enclave process makes each connection, checks that the
// function may, and sends the whole response back at once; redirects are followed here, each a call of its own.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { isAborted, reasonOf, whenAborted } = internals.abort;
  const { take } = internals.body;
  const { encodeBase64 } = internals.bytes;
  const { listOf } = internals.headers;
  const { hostCall } = internals.host;
  const { Request, stateOf } = internals.request;
  const { isRedirect, received } = internals.response;
  const { parsed } = internals.url;
  const { list, need, pairOf } = internals.webidl;
  const { ArrayPrototypePush, Promise, PromisePrototypeThen, StringPrototypeToLowerCase, TypeError } = primordials;

  // Section 4.4: the twenty-first is a network error.
  const MAX_REDIRECTS = 20;

  function fetch(input, init = undefined) {
    const given = arguments.length;
    return new Promise((resolve, reject) => {
      need(1, given, "fetch");
      const request = stateOf(new Request(input, init));
      const { signal } = request;
      if (isAborted(signal)) {
        reject(reasonOf(signal));
        return;
      }
      // The host's answer to an aborted call has nobody to tell any more.
      whenAborted(signal, reject);
      const bytes = request.body.bytes === undefined ? undefined : take(request.body);
      const message = {
        __proto__: null,
        address: parsed(request.url),
        method: request.method,
        headers: sendable(request.headers),
        body: bytes === undefined ? null : encodeBase64(bytes),
        redirect: request.redirect,
        redirects: 0,
        signal,
      };
      PromisePrototypeThen(send(message), resolve, reject);
    });
  }

  function sendable(headers) {
    const all = listOf(headers);
    const copied = list();
    for (let i = 0; i < all.length; i++) ArrayPrototypePush(copied, pairOf(all[i][0], all[i][1]));
    return copied;
  }

  async function send(message) {
    for (;;) {
      if (isAborted(message.signal)) throw reasonOf(message.signal);
      const reply = await answered({
        __proto__: null,
        op: "fetch",
        url: message.address.href,
        method: message.method,
        headers: message.headers,
        body_base64: message.body,
      });
      const next = message.redirect !== "manual" && isRedirect(reply.status) ? locationOf(message, reply) : undefined;
      if (next === undefined) return received(message.address, message.redirects > 0, reply);
      redirect(message, reply.status, next);
    }
  }

  // A network error is a TypeError (section 5.6, step 12); why it was, the host's code tells.
  function answered(call) {
    return new Promise((resolve, reject) => {
      PromisePrototypeThen(hostCall(call), resolve, (failure) => {
        const error = new TypeError("fetch: " + failure.message, { __proto__: null, cause: failure });
        internals.webidl.define(error, "code", failure.code, false);
        reject(error);
      });
    });
  }

  // Section 2.2.6, "location URL"; undefined for an answer that names none.
  function locationOf(message, reply) {
    for (let i = 0; i < reply.headers.length; i++) {
      if (StringPrototypeToLowerCase(reply.headers[i][0]) !== "location") continue;
      const address = parsed(reply.headers[i][1], message.address.href);
      if (address === undefined) throw new TypeError("fetch: a redirect to what is no URL");
      if (address.hash === "" && message.address.hash !== "") {
        return parsed(address.href + message.address.hash);
      }
      return address;
    }
    return undefined;
  }

  // Section 4.4, "HTTP-redirect fetch".
  function redirect(message, status, next) {
    if (message.redirect === "error") throw new TypeError("fetch: the server redirects, and the request forbids it");
    if (next.protocol !== "https:" && next.protocol !== "http:") {
      throw new TypeError("fetch: a redirect to " + next.protocol);
    }
    if (++message.redirects > MAX_REDIRECTS) throw new TypeError("fetch: more than " + MAX_REDIRECTS + " redirects");
    const { method } = message;
    const turns = (status === 301 || status === 302) && method === "POST";
    const reads = status === 303 && method !== "GET" && method !== "HEAD";
    if (turns || reads) {
      message.method = "GET";
      message.body = null;
      message.headers = without(message.headers, isOfBody);
    }
    // What proves who asks is not for another origin.
    if (next.origin !== message.address.origin) message.headers = without(message.headers, isCredential);
    message.address = next;
  }

  const isOfBody = (name) =>
    name === "content-encoding" || name === "content-language" || name === "content-location" || name === "content-type" ||
    name === "content-length";

  const isCredential = (name) => name === "authorization" || name === "cookie" || name === "proxy-authorization";

  function without(headers, drops) {
    const kept = list();
    for (let i = 0; i < headers.length; i++) {
      if (!drops(headers[i][0])) ArrayPrototypePush(kept, headers[i]);
    }
    return kept;
  }

  internals.fetch = { fetch };
}
