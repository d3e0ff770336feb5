// `crypto`: random bytes from the kernel and digests. Keys stay in the enclave process.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_digest, op_r3e_random, op_r3e_random_uuid } = core.ops;
  const { viewOf } = internals.bytes;
  const { namedError } = internals.errors;

  const {
    Error,
    StringPrototypeToUpperCase,
    TypeError,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetSymbolToStringTag,
  } = primordials;

  // The Web Cryptography specification's own bound.
  const MAX_RANDOM_BYTES = 65_536;

  const subtle = {
    async digest(algorithm, data) {
      const name = typeof algorithm === "string" ? algorithm : `${algorithm?.name}`;
      const view = viewOf(data);
      if (view === undefined) throw new TypeError("digest: not an ArrayBuffer or a view on one");
      const digest = op_r3e_digest(StringPrototypeToUpperCase(name), view);
      if (TypedArrayPrototypeGetByteLength(digest) === 0) {
        throw namedError(Error, "NotSupportedError", "digest: only SHA-1, SHA-256, SHA-384 and SHA-512");
      }
      return TypedArrayPrototypeGetBuffer(digest);
    },
  };

  const crypto = {
    getRandomValues(array) {
      const tag = core.isTypedArray(array) ? TypedArrayPrototypeGetSymbolToStringTag(array) : undefined;
      if (tag === undefined || tag === "Float32Array" || tag === "Float64Array" || tag === "Float16Array") {
        throw namedError(Error, "TypeMismatchError", "getRandomValues: not an array of integers");
      }
      const view = viewOf(array);
      if (TypedArrayPrototypeGetByteLength(view) > MAX_RANDOM_BYTES) {
        throw namedError(Error, "QuotaExceededError", `getRandomValues: more than ${MAX_RANDOM_BYTES} bytes`);
      }
      op_r3e_random(view);
      return array;
    },
    randomUUID() {
      return op_r3e_random_uuid();
    },
    subtle,
  };

  internals.crypto = { crypto };
}
