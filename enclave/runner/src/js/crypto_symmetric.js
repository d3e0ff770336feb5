// HMAC and AES-GCM: the Web Cryptography API, sections 29 and 31. Keys are bytes; the work is done outside the engine.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_aes_gcm_open, op_r3e_aes_gcm_seal, op_r3e_equal, op_r3e_hmac, op_r3e_random } = core.ops;
  const { copyOf, needView } = internals.bytes;
  const { allow, checkJwk, fail, fromBase64Url, jwkOf, toBase64Url } = internals.cryptokey;
  const { enforceRange } = internals.webidl;
  const { TypedArrayPrototypeGetByteLength, Uint8Array } = primordials;

  const sizeOf = TypedArrayPrototypeGetByteLength;
  // Section 31.2's default: the hash's block.
  const BLOCK_BITS = { __proto__: null, "SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024 };
  const HS = { __proto__: null, "SHA-1": "HS1", "SHA-256": "HS256", "SHA-384": "HS384", "SHA-512": "HS512" };
  // A key far beyond any block; it bounds what one call makes.
  const MAX_HMAC_BITS = 65_536 * 8;

  function random(bytes) {
    const made = new Uint8Array(bytes);
    op_r3e_random(made);
    return made;
  }

  const hmac = {
    __proto__: null,
    name: "HMAC",

    read(operation, given) {
      if (operation === "sign" || operation === "verify") return { __proto__: null };
      const length = given.length === undefined
        ? undefined
        : enforceRange(given.length, 0xffff_ffff, "HMAC: length");
      return { __proto__: null, hash: internals.subtle.hashIn(given), length };
    },

    bits({ hash, length }) {
      const bits = length ?? BLOCK_BITS[hash];
      if (bits === 0) throw fail("OperationError", "a HMAC key has a bit at least");
      return bits;
    },

    generate(params, extractable, usages) {
      allow(usages, ["sign", "verify"]);
      const bits = this.bits(params);
      if (bits > MAX_HMAC_BITS) throw fail("OperationError", "a HMAC key has at most " + MAX_HMAC_BITS + " bits");
      return this.made(cut(random((bits + 7) >>> 3), bits), bits, params.hash, extractable, usages);
    },

    made(bytes, bits, hash, extractable, usages) {
      return {
        __proto__: null,
        algorithm: this,
        type: "secret",
        extractable,
        usages,
        hash,
        bytes,
        bits,
        shown: () => ({ name: "HMAC", hash: { name: hash }, length: bits }),
      };
    },

    import(format, data, params, extractable, usages) {
      allow(usages, ["sign", "verify"]);
      let bytes;
      if (format === "raw") {
        bytes = copyOf(data);
      } else if (format === "jwk") {
        checkJwk(data, "oct", "sig", extractable, usages);
        bytes = fromBase64Url(data.k, "k");
        const alg = HS[params.hash];
        if (data.alg !== undefined && data.alg !== alg) throw fail("DataError", "the JWK's alg is not " + alg);
      } else {
        throw fail("NotSupportedError", "HMAC keys have no form '" + format + "'");
      }
      const whole = sizeOf(bytes) * 8;
      if (whole === 0) throw fail("DataError", "a HMAC key has a bit at least");
      const { length } = params;
      if (length !== undefined && (length > whole || length <= whole - 8)) {
        throw fail("DataError", "the key's length is not the length that was named");
      }
      const bits = length ?? whole;
      return this.made(cut(bytes, bits), bits, params.hash, extractable, usages);
    },

    export(format, inside) {
      if (format === "raw") return copyOf(inside.bytes);
      if (format === "jwk") return jwkOf({ kty: "oct", k: toBase64Url(inside.bytes), alg: HS[inside.hash] }, inside);
      throw fail("NotSupportedError", "HMAC keys have no form '" + format + "'");
    },

    sign(_params, inside, data) {
      return op_r3e_hmac(inside.hash, inside.bytes, data);
    },

    verify(_params, inside, signature, data) {
      return op_r3e_equal(op_r3e_hmac(inside.hash, inside.bytes, data), signature);
    },
  };

  // Bits beyond the length are none of the key's.
  function cut(bytes, bits) {
    if (bits % 8 !== 0) bytes[sizeOf(bytes) - 1] &= 0xff << (8 - (bits % 8));
    return bytes;
  }

  const AES_USAGES = ["encrypt", "decrypt", "wrapKey", "unwrapKey"];
  const TAG_BITS = [32, 64, 96, 104, 112, 120, 128];

  const aesGcm = {
    __proto__: null,
    name: "AES-GCM",

    read(operation, given) {
      if (operation === "importKey") return { __proto__: null };
      if (operation === "generateKey" || operation === "keyLength") {
        return { __proto__: null, length: enforceRange(given.length, 65_535, "AES-GCM: length") };
      }
      const additional = given.additionalData;
      const aad = additional === undefined ? new Uint8Array(0) : copyOf(needView(additional, "AES-GCM: additionalData"));
      const iv = copyOf(needView(given.iv, "AES-GCM: iv"));
      const tagBits = given.tagLength === undefined ? 128 : enforceRange(given.tagLength, 255, "AES-GCM: tagLength");
      return { __proto__: null, iv, aad, tagBits };
    },

    bits({ length }) {
      if (length !== 128 && length !== 192 && length !== 256) {
        throw fail("OperationError", "an AES key has 128, 192 or 256 bits");
      }
      return length;
    },

    generate(params, extractable, usages) {
      allow(usages, AES_USAGES);
      return this.made(random(this.bits(params) / 8), extractable, usages);
    },

    made(bytes, extractable, usages) {
      const length = sizeOf(bytes) * 8;
      return {
        __proto__: null,
        algorithm: this,
        type: "secret",
        extractable,
        usages,
        bytes,
        shown: () => ({ name: "AES-GCM", length }),
      };
    },

    import(format, data, _params, extractable, usages) {
      allow(usages, AES_USAGES);
      let bytes;
      if (format === "raw") bytes = copyOf(data);
      else if (format === "jwk") {
        checkJwk(data, "oct", "enc", extractable, usages);
        bytes = fromBase64Url(data.k, "k");
      } else throw fail("NotSupportedError", "AES keys have no form '" + format + "'");
      const bits = sizeOf(bytes) * 8;
      if (bits !== 128 && bits !== 192 && bits !== 256) throw fail("DataError", "an AES key has 128, 192 or 256 bits");
      if (format === "jwk" && data.alg !== undefined && data.alg !== "A" + bits + "GCM") {
        throw fail("DataError", "the JWK's alg is not A" + bits + "GCM");
      }
      return this.made(bytes, extractable, usages);
    },

    export(format, inside) {
      if (format === "raw") return copyOf(inside.bytes);
      if (format === "jwk") {
        return jwkOf({ kty: "oct", k: toBase64Url(inside.bytes), alg: "A" + (sizeOf(inside.bytes) * 8) + "GCM" }, inside);
      }
      throw fail("NotSupportedError", "AES keys have no form '" + format + "'");
    },

    encrypt(params, inside, data) {
      const tagBytes = checked(params);
      const sealed = op_r3e_aes_gcm_seal(inside.bytes, params.iv, params.aad, tagBytes, data);
      if (sizeOf(sealed) === 0) throw fail("OperationError", "AES-GCM: the data is too long");
      return sealed;
    },

    decrypt(params, inside, data) {
      const tagBytes = checked(params);
      if (sizeOf(data) < tagBytes) throw fail("OperationError", "AES-GCM: shorter than a tag");
      const opened = new Uint8Array(sizeOf(data) - tagBytes);
      if (!op_r3e_aes_gcm_open(inside.bytes, params.iv, params.aad, tagBytes, data, opened)) {
        throw fail("OperationError", "AES-GCM: the tag does not match");
      }
      return opened;
    },
  };

  /** Section 31.6's checks, but for other lengths of the iv; gives the tag's length in bytes. */
  function checked({ iv, tagBits }) {
    if (!internals.cryptokey.contains(TAG_BITS, tagBits)) throw fail("OperationError", "AES-GCM: no such tagLength");
    if (sizeOf(iv) !== 12 && sizeOf(iv) !== 16) {
      throw fail(sizeOf(iv) === 0 ? "OperationError" : "NotSupportedError", "AES-GCM: an iv has 12 or 16 bytes here");
    }
    return tagBits / 8;
  }

  internals.cryptosymmetric = { aesGcm, hmac };
}
