// `crypto.subtle`: the Web Cryptography API, section 14. Keys that a script makes here are its own, in its own memory;
// the appliance's keys are in another process.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_digest } = core.ops;
  const { copyOf, decodeUtf8, encodeUtf8, needView } = internals.bytes;
  const { contains, fail, insideOf, isKey, makeKey, readJwk, readUsages } = internals.cryptokey;
  const { ecdsa } = internals.cryptoecdsa;
  const { hkdf, pbkdf2 } = internals.cryptokdf;
  const { aesGcm, hmac } = internals.cryptosymmetric;
  const { OURS, illegal } = internals.events;
  const { asInterface, domString, enforceRange, enumeration, isObject, need, platform } = internals.webidl;
  const {
    ArrayPrototypePush,
    JSONParse,
    JSONStringify,
    StringPrototypeToUpperCase,
    TypeError,
    TypedArrayPrototypeGetBuffer,
  } = primordials;

  const HASHES = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];
  const FORMATS = ["raw", "spki", "pkcs8", "jwk"];

  // Section 18.4.3: which algorithm takes part in which operation.
  const REGISTERED = {
    __proto__: null,
    decrypt: [aesGcm],
    deriveBits: [hkdf, pbkdf2],
    encrypt: [aesGcm],
    generateKey: [hmac, aesGcm, ecdsa],
    importKey: [hmac, aesGcm, ecdsa, hkdf, pbkdf2],
    keyLength: [hmac, aesGcm, hkdf, pbkdf2],
    sign: [hmac, ecdsa],
    verify: [hmac, ecdsa],
  };

  /** Section 18.4.4, for a hash. */
  function hashOf(identifier) {
    const name = StringPrototypeToUpperCase(nameOf(identifier));
    if (contains(HASHES, name)) return name;
    throw fail("NotSupportedError", "a hash is SHA-1, SHA-256, SHA-384 or SHA-512 here");
  }

  /** The hash that an algorithm's parameters must name. */
  function hashIn({ hash }) {
    if (hash === undefined) throw new TypeError("an algorithm's hash is missing");
    return hashOf(hash);
  }

  function nameOf(identifier) {
    if (!isObject(identifier)) return domString(identifier);
    const { name } = identifier;
    if (name === undefined) throw new TypeError("an algorithm has no name");
    return domString(name);
  }

  /** Section 18.4.4, "normalize an algorithm": the algorithm, and what it takes. */
  function normalized(operation, identifier) {
    const name = StringPrototypeToUpperCase(nameOf(identifier));
    const known = REGISTERED[operation];
    for (let i = 0; i < known.length; i++) {
      if (known[i].name !== name) continue;
      const given = isObject(identifier) ? identifier : { __proto__: null };
      return { __proto__: null, algorithm: known[i], params: known[i].read(operation, given) };
    }
    throw fail("NotSupportedError", "'" + name + "' is not an algorithm for " + operation + " here");
  }

  function insideFor(key, algorithm, usage) {
    const inside = insideOf(key);
    if (inside.algorithm !== algorithm) throw fail("InvalidAccessError", "the key is another algorithm's");
    if (!contains(inside.usages, usage)) throw fail("InvalidAccessError", "the key is not for " + usage);
    return inside;
  }

  function needKey(key, what) {
    if (!isKey(key)) throw new TypeError(what + " must be a CryptoKey");
    return key;
  }

  const bufferOf = (bytes) => TypedArrayPrototypeGetBuffer(bytes);

  function imported(format, data, { algorithm, params }, extractable, usages) {
    const inside = algorithm.import(format, data, params, extractable, usages);
    if (inside.type !== "public" && usages.length === 0) throw fail("SyntaxError", "a secret key without a use");
    return makeKey(inside);
  }

  function exported(format, key) {
    const inside = insideOf(key);
    if (inside.algorithm.export === undefined) throw fail("NotSupportedError", "keys of this algorithm have no form outside");
    if (!inside.extractable) throw fail("InvalidAccessError", "the key is not extractable");
    return inside.algorithm.export(format, inside);
  }

  let make;

  class SubtleCrypto {
    static {
      ArrayPrototypePush(platform, (value) => #brand in value);
    }

    #brand;

    static {
      make = () => new SubtleCrypto(OURS);
    }

    constructor(token = undefined) {
      illegal(token);
    }

    async digest(algorithm, data) {
      this.#brand;
      need(2, arguments.length, "digest");
      const view = copyOf(needView(data, "digest: the data"));
      return bufferOf(op_r3e_digest(hashOf(algorithm), view));
    }

    async generateKey(algorithm, extractable, keyUsages) {
      this.#brand;
      need(3, arguments.length, "generateKey");
      const usages = readUsages(keyUsages);
      const { algorithm: chosen, params } = normalized("generateKey", algorithm);
      const made = chosen.generate(params, !!extractable, usages);
      if (made.privateKey !== undefined) {
        return { privateKey: makeKey(made.privateKey), publicKey: makeKey(made.publicKey) };
      }
      if (usages.length === 0) throw fail("SyntaxError", "a secret key without a use");
      return makeKey(made);
    }

    async importKey(format, keyData, algorithm, extractable, keyUsages) {
      this.#brand;
      need(5, arguments.length, "importKey");
      const form = enumeration(format, FORMATS, "importKey: the format");
      const usages = readUsages(keyUsages);
      const data = form === "jwk" ? readJwk(keyData) : copyOf(needView(keyData, "importKey: the key"));
      return imported(form, data, normalized("importKey", algorithm), !!extractable, usages);
    }

    async exportKey(format, key) {
      this.#brand;
      need(2, arguments.length, "exportKey");
      const form = enumeration(format, FORMATS, "exportKey: the format");
      const data = exported(form, needKey(key, "exportKey: the key"));
      return form === "jwk" ? data : bufferOf(data);
    }

    async sign(algorithm, key, data) {
      this.#brand;
      need(3, arguments.length, "sign");
      needKey(key, "sign: the key");
      const view = copyOf(needView(data, "sign: the data"));
      const { algorithm: chosen, params } = normalized("sign", algorithm);
      return bufferOf(chosen.sign(params, insideFor(key, chosen, "sign"), view));
    }

    async verify(algorithm, key, signature, data) {
      this.#brand;
      need(4, arguments.length, "verify");
      needKey(key, "verify: the key");
      const given = copyOf(needView(signature, "verify: the signature"));
      const view = copyOf(needView(data, "verify: the data"));
      const { algorithm: chosen, params } = normalized("verify", algorithm);
      return chosen.verify(params, insideFor(key, chosen, "verify"), given, view);
    }

    async encrypt(algorithm, key, data) {
      this.#brand;
      need(3, arguments.length, "encrypt");
      needKey(key, "encrypt: the key");
      const view = copyOf(needView(data, "encrypt: the data"));
      const { algorithm: chosen, params } = normalized("encrypt", algorithm);
      return bufferOf(chosen.encrypt(params, insideFor(key, chosen, "encrypt"), view));
    }

    async decrypt(algorithm, key, data) {
      this.#brand;
      need(3, arguments.length, "decrypt");
      needKey(key, "decrypt: the key");
      const view = copyOf(needView(data, "decrypt: the data"));
      const { algorithm: chosen, params } = normalized("decrypt", algorithm);
      return bufferOf(chosen.decrypt(params, insideFor(key, chosen, "decrypt"), view));
    }

    async deriveBits(algorithm, baseKey, length = null) {
      this.#brand;
      need(2, arguments.length, "deriveBits");
      needKey(baseKey, "deriveBits: the key");
      const bits = length === null ? null : enforceRange(length, 0xffff_ffff, "deriveBits: the length");
      const { algorithm: chosen, params } = normalized("deriveBits", algorithm);
      return bufferOf(chosen.deriveBits(params, insideFor(baseKey, chosen, "deriveBits"), bits));
    }

    async deriveKey(algorithm, baseKey, derivedKeyType, extractable, keyUsages) {
      this.#brand;
      need(5, arguments.length, "deriveKey");
      needKey(baseKey, "deriveKey: the key");
      const usages = readUsages(keyUsages);
      const { algorithm: chosen, params } = normalized("deriveBits", algorithm);
      const target = normalized("importKey", derivedKeyType);
      const sized = normalized("keyLength", derivedKeyType);
      const inside = insideFor(baseKey, chosen, "deriveKey");
      const bits = chosen.deriveBits(params, inside, sized.algorithm.bits(sized.params));
      return imported("raw", bits, target, !!extractable, usages);
    }

    async wrapKey(format, key, wrappingKey, wrapAlgorithm) {
      this.#brand;
      need(4, arguments.length, "wrapKey");
      const form = enumeration(format, FORMATS, "wrapKey: the format");
      needKey(key, "wrapKey: the key");
      needKey(wrappingKey, "wrapKey: the wrapping key");
      const { algorithm: chosen, params } = normalized("encrypt", wrapAlgorithm);
      const inside = insideFor(wrappingKey, chosen, "wrapKey");
      const data = exported(form, key);
      return bufferOf(chosen.encrypt(params, inside, form === "jwk" ? encodeUtf8(JSONStringify(data)) : data));
    }

    async unwrapKey(format, wrappedKey, unwrappingKey, unwrapAlgorithm, unwrappedKeyAlgorithm, extractable, keyUsages) {
      this.#brand;
      need(7, arguments.length, "unwrapKey");
      const form = enumeration(format, FORMATS, "unwrapKey: the format");
      const usages = readUsages(keyUsages);
      const wrapped = copyOf(needView(wrappedKey, "unwrapKey: the wrapped key"));
      needKey(unwrappingKey, "unwrapKey: the unwrapping key");
      const { algorithm: chosen, params } = normalized("decrypt", unwrapAlgorithm);
      const target = normalized("importKey", unwrappedKeyAlgorithm);
      const bytes = chosen.decrypt(params, insideFor(unwrappingKey, chosen, "unwrapKey"), wrapped);
      return imported(form, form === "jwk" ? jwkFrom(bytes) : bytes, target, !!extractable, usages);
    }
  }
  asInterface(SubtleCrypto, "SubtleCrypto");

  function jwkFrom(bytes) {
    let data;
    try {
      data = JSONParse(decodeUtf8(bytes));
    } catch {
      throw fail("DataError", "what was wrapped is no JWK");
    }
    return readJwk(data);
  }

  internals.subtle = { SubtleCrypto, hashIn, subtle: make() };
}
