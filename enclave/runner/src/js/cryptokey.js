// `CryptoKey` and what every algorithm of `crypto.subtle` shares: the Web Cryptography API, sections 13 and 18.4.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_base64url_decode, op_r3e_base64url_encode } = core.ops;
  const { DOMException } = internals.domexception;
  const { OURS, illegal } = internals.events;
  const { asInterface, define, domString, isObject, list, sequence } = internals.webidl;
  const { ArrayPrototypePush, TypeError, TypedArrayPrototypeGetByteLength } = primordials;

  // In the order that a key's `usages` shows them.
  const USAGES = ["encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey"];

  let isKey;
  let insideOf;
  let makeKey;
  let copyKey;

  class CryptoKey {
    #inside;
    // What scripts are shown, and may change as they like.
    #algorithm = undefined;
    #usages = undefined;

    static {
      isKey = (value) => typeof value === "object" && value !== null && #inside in value;
      insideOf = (key) => key.#inside;
      makeKey = (inside) => {
        const key = new CryptoKey(OURS);
        key.#inside = inside;
        return key;
      };
      copyKey = (key) => makeKey(key.#inside);
    }

    constructor(token = undefined) {
      illegal(token);
    }

    get type() {
      return this.#inside.type;
    }

    get extractable() {
      return this.#inside.extractable;
    }

    get algorithm() {
      this.#algorithm ??= this.#inside.shown();
      return this.#algorithm;
    }

    get usages() {
      this.#usages ??= arrayOf(this.#inside.usages);
      return this.#usages;
    }
  }
  asInterface(CryptoKey, "CryptoKey");

  /** An array for scripts, with the items of a list. */
  function arrayOf(items) {
    const array = [];
    for (let i = 0; i < items.length; i++) define(array, i, items[i], true);
    return array;
  }

  function fail(name, message) {
    return new DOMException(message, name);
  }

  function contains(items, item) {
    for (let i = 0; i < items.length; i++) {
      if (items[i] === item) return true;
    }
    return false;
  }

  /** Usages as given, in the standard's order and each once; any other word is a TypeError. */
  function readUsages(given) {
    const words = sequence(given, (item) => internals.webidl.enumeration(item, USAGES, "a key usage"), "the key usages");
    const usages = list();
    for (let i = 0; i < USAGES.length; i++) {
      if (contains(words, USAGES[i])) ArrayPrototypePush(usages, USAGES[i]);
    }
    return usages;
  }

  /** Of the usages those that one key of a pair can have. */
  function only(usages, allowed) {
    const kept = list();
    for (let i = 0; i < usages.length; i++) {
      if (contains(allowed, usages[i])) ArrayPrototypePush(kept, usages[i]);
    }
    return kept;
  }

  /** Throws where a usage is asked for that the key cannot have. */
  function allow(usages, allowed) {
    for (let i = 0; i < usages.length; i++) {
      if (!contains(allowed, usages[i])) throw fail("SyntaxError", "a key of this kind has no use '" + usages[i] + "'");
    }
  }

  /** The members of a `JsonWebKey` dictionary, each text or as given. */
  function readJwk(data) {
    if (!isObject(data) || internals.bytes.viewOf(data) !== undefined) throw new TypeError("a key as JWK is an object");
    const jwk = { __proto__: null };
    const names = ["alg", "crv", "d", "k", "kty", "use", "x", "y"];
    for (let i = 0; i < names.length; i++) {
      const value = data[names[i]];
      jwk[names[i]] = value === undefined ? undefined : domString(value);
    }
    jwk.ext = data.ext === undefined ? undefined : !!data.ext;
    jwk.key_ops = data.key_ops === undefined ? undefined : sequence(data.key_ops, domString, "key_ops");
    return jwk;
  }

  /** RFC 7517, section 4, and the steps that every import of a JWK has. */
  function checkJwk(jwk, kty, use, extractable, usages) {
    if (jwk.kty !== kty) throw fail("DataError", "the JWK's kty is not " + kty);
    if (usages.length > 0 && jwk.use !== undefined && jwk.use !== use) throw fail("DataError", "the JWK's use is not " + use);
    if (jwk.key_ops !== undefined) {
      for (let i = 0; i < jwk.key_ops.length; i++) {
        for (let j = 0; j < i; j++) {
          if (jwk.key_ops[i] === jwk.key_ops[j]) throw fail("DataError", "the JWK's key_ops name one twice");
        }
      }
      for (let i = 0; i < usages.length; i++) {
        if (!contains(jwk.key_ops, usages[i])) throw fail("DataError", "the JWK's key_ops lack " + usages[i]);
      }
    }
    if (jwk.ext === false && extractable) throw fail("DataError", "the JWK is not to be extractable");
  }

  /** RFC 7515, section 2: base64url without padding; none, or anything else, is a DataError. */
  function fromBase64Url(text, what) {
    const decoded = text === undefined ? undefined : op_r3e_base64url_decode(text);
    if (decoded === undefined || TypedArrayPrototypeGetByteLength(decoded) === 0) {
      throw fail("DataError", "the JWK's " + what + " is missing or not base64url");
    }
    return decoded;
  }

  const toBase64Url = (bytes) => op_r3e_base64url_encode(bytes);

  /** What `exportKey` gives for a key that has text members. */
  function jwkOf(members, inside) {
    return { ...members, key_ops: arrayOf(inside.usages), ext: inside.extractable };
  }

  internals.cryptokey = {
    CryptoKey,
    allow,
    arrayOf,
    checkJwk,
    contains,
    copyKey,
    fail,
    fromBase64Url,
    insideOf,
    isKey,
    jwkOf,
    makeKey,
    only,
    readJwk,
    readUsages,
    toBase64Url,
  };
}
