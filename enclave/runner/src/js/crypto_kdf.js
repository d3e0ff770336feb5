// HKDF and PBKDF2: the Web Cryptography API, sections 32 and 33.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_hkdf, op_r3e_pbkdf2 } = core.ops;
  const { copyOf, needView } = internals.bytes;
  const { allow, fail } = internals.cryptokey;
  const { enforceRange } = internals.webidl;
  const { TypeError, TypedArrayPrototypeGetByteLength, Uint8Array } = primordials;

  // PBKDF2's own bound is 2^32 hashes; this keeps one call's answer within what a function may hold.
  const MAX_DERIVED_BITS = 8 * 1024 * 1024;

  function kdf(name, read, derive) {
    return {
      __proto__: null,
      name,
      read(operation, given) {
        return operation === "importKey" || operation === "keyLength" ? { __proto__: null } : read(given);
      },

      bits: () => null,

      import(format, data, _params, extractable, usages) {
        if (format !== "raw") throw fail("NotSupportedError", name + " keys have no form '" + format + "'");
        allow(usages, ["deriveKey", "deriveBits"]);
        if (extractable) throw fail("SyntaxError", name + " keys are not extractable");
        const shown = () => ({ name });
        return { __proto__: null, algorithm: this, type: "secret", extractable, usages, bytes: copyOf(data), shown };
      },

      deriveBits(params, inside, length) {
        if (length === null || length % 8 !== 0) throw fail("OperationError", name + ": the length is a multiple of 8");
        if (length > MAX_DERIVED_BITS) throw fail("OperationError", name + ": at most " + MAX_DERIVED_BITS + " bits");
        const made = derive(params, inside.bytes, length / 8);
        if (length > 0 && TypedArrayPrototypeGetByteLength(made) === 0) {
        throw fail("OperationError", name + ": the length is too large");
      }
        return made;
      },
    };
  }

  const hkdf = kdf("HKDF", (given) => {
    const hash = internals.subtle.hashIn(given);
    const info = copyOf(needView(given.info, "HKDF: info"));
    return { __proto__: null, hash, info, salt: copyOf(needView(given.salt, "HKDF: salt")) };
  }, ({ hash, info, salt }, bytes, size) => size === 0 ? new Uint8Array(0) : op_r3e_hkdf(hash, bytes, salt, info, size));

  const pbkdf2 = kdf("PBKDF2", (given) => {
    const hash = internals.subtle.hashIn(given);
    if (given.iterations === undefined) throw new TypeError("PBKDF2: iterations are missing");
    const iterations = enforceRange(given.iterations, 0xffff_ffff, "PBKDF2: iterations");
    return { __proto__: null, hash, iterations, salt: copyOf(needView(given.salt, "PBKDF2: salt")) };
  }, ({ hash, iterations, salt }, bytes, size) => {
    if (iterations === 0) throw fail("OperationError", "PBKDF2: an iteration at least");
    return size === 0 ? new Uint8Array(0) : op_r3e_pbkdf2(hash, bytes, salt, iterations, size);
  });

  internals.cryptokdf = { hkdf, pbkdf2 };
}
