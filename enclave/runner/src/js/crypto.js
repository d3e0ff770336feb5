// `crypto`: the Web Cryptography API, section 10. Random bytes are the kernel's.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_random, op_r3e_random_uuid } = core.ops;
  const { viewOf } = internals.bytes;
  const { DOMException } = internals.domexception;
  const { OURS, illegal } = internals.events;
  const { SubtleCrypto, subtle } = internals.subtle;
  const { asInterface, need, platform } = internals.webidl;
  const {
    ArrayPrototypePush,
    ObjectGetOwnPropertyDescriptor,
    ReflectApply,
    TypeError,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetSymbolToStringTag,
  } = primordials;

  // Section 10.1.1: more at once is a QuotaExceededError.
  const MAX_RANDOM_BYTES = 65_536;

  // Not in every engine: a buffer whose bytes nobody may change.
  const isImmutable = ObjectGetOwnPropertyDescriptor(primordials.ArrayBufferPrototype, "immutable")?.get;

  let make;

  class Crypto {
    static {
      ArrayPrototypePush(platform, (value) => #brand in value);
    }

    #brand;

    static {
      make = () => new Crypto(OURS);
    }

    constructor(token = undefined) {
      illegal(token);
    }

    get subtle() {
      this.#brand;
      return subtle;
    }

    getRandomValues(array) {
      this.#brand;
      need(1, arguments.length, "getRandomValues");
      const tag = core.isTypedArray(array) ? TypedArrayPrototypeGetSymbolToStringTag(array) : undefined;
      if (tag === undefined && !core.isDataView(array)) throw new TypeError("getRandomValues: not a view");
      if (tag === undefined || tag === "Float16Array" || tag === "Float32Array" || tag === "Float64Array") {
        throw new DOMException("getRandomValues: not an array of integers", "TypeMismatchError");
      }
      if (isImmutable !== undefined && ReflectApply(isImmutable, TypedArrayPrototypeGetBuffer(array), [])) {
        throw new TypeError("getRandomValues: the buffer cannot be changed");
      }
      const view = viewOf(array);
      if (TypedArrayPrototypeGetByteLength(view) > MAX_RANDOM_BYTES) {
        throw new DOMException("getRandomValues: more than " + MAX_RANDOM_BYTES + " bytes", "QuotaExceededError");
      }
      op_r3e_random(view);
      return array;
    }

    randomUUID() {
      this.#brand;
      return op_r3e_random_uuid();
    }
  }
  asInterface(Crypto, "Crypto");

  internals.crypto = { Crypto, SubtleCrypto, crypto: make() };
}
