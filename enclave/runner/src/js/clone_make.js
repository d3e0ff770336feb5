// The second half of `structuredClone`: making values of what `clone.js` has written down.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { KIND } = internals.clone;
  const { DOMException } = internals.domexception;
  const { makeBlob, bytesOf, typeOf } = internals.blob;
  const { define, isObject } = internals.webidl;
  const {
    ArrayBuffer,
    ArrayPrototype,
    BigInt64Array,
    BigUint64Array,
    DataView,
    Date,
    Error,
    EvalError,
    Float32Array,
    Float64Array,
    Int16Array,
    Int32Array,
    Int8Array,
    Map,
    MapPrototypeSet,
    Object,
    ObjectPrototype,
    ObjectSetPrototypeOf,
    RangeError,
    ReferenceError,
    RegExp,
    Set,
    SetPrototypeAdd,
    SyntaxError,
    TypeError,
    TypedArrayPrototypeSet,
    URIError,
    Uint16Array,
    Uint32Array,
    Uint8Array,
    Uint8ClampedArray,
  } = primordials;

  const VIEWS = {
    __proto__: null,
    BigInt64Array, BigUint64Array, DataView, Float16Array: globalThis.Float16Array, Float32Array, Float64Array, Int16Array,
    Int32Array, Int8Array, Uint16Array, Uint32Array, Uint8Array, Uint8ClampedArray,
  };
  const ERRORS = { __proto__: null, Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

  function make(slot) {
    if (!isObject(slot)) return slot;
    if (slot.made === undefined) fill(slot);
    return slot.made;
  }

  // An object is known before its parts are made: one of them may be it.
  function fill(record) {
    switch (record.kind) {
      case KIND.BOXED:
        record.made = Object(record.value);
        return;
      case KIND.DATE:
        record.made = new Date(record.value);
        return;
      case KIND.REGEXP:
        record.made = new RegExp(record.source, record.flags);
        return;
      case KIND.BUFFER:
        record.made = bufferOf(record);
        return;
      case KIND.VIEW:
        record.made = new VIEWS[record.type](make(record.buffer), record.offset, record.length);
        return;
      case KIND.MAP:
        record.made = new Map();
        for (let i = 0; i < record.entries.length; i += 2) {
          MapPrototypeSet(record.made, make(record.entries[i]), make(record.entries[i + 1]));
        }
        return;
      case KIND.SET:
        record.made = new Set();
        for (let i = 0; i < record.entries.length; i++) SetPrototypeAdd(record.made, make(record.entries[i]));
        return;
      case KIND.ERROR:
        record.made = errorOf(record);
        return;
      case KIND.PLATFORM:
        record.made = platformOf(record);
        return;
      case KIND.ARRAY:
        record.made = ObjectSetPrototypeOf([], null);
        record.made.length = record.length;
        fillProperties(record, ArrayPrototype);
        return;
      default:
        record.made = { __proto__: null };
        fillProperties(record, ObjectPrototype);
    }
  }

  // While it has no prototype, no setter is in the way, and `__proto__` is a name like any other.
  function fillProperties(record, proto) {
    const { keys, made, values } = record;
    for (let i = 0; i < keys.length; i++) made[keys[i]] = make(values[i]);
    ObjectSetPrototypeOf(made, proto);
  }

  function bufferOf({ bytes, max }) {
    if (max === undefined) return bytes;
    const source = new Uint8Array(bytes);
    const made = new ArrayBuffer(source.length, { __proto__: null, maxByteLength: max });
    TypedArrayPrototypeSet(new Uint8Array(made), source, 0);
    return made;
  }

  function errorOf({ message, name, stack }) {
    const error = message === undefined ? new ERRORS[name]() : new ERRORS[name](message);
    if (stack !== undefined) define(error, "stack", stack, false);
    return error;
  }

  function platformOf({ make: kind, message, name, source }) {
    if (kind === "DOMException") return new DOMException(message, name);
    if (kind === "Blob") return makeBlob(bytesOf(source), typeOf(source));
    return internals.cryptokey.copyKey(source);
  }

  internals.clone.make = make;
}
