// `structuredClone`: HTML, section 2.7. First everything is written down, then what is transferred leaves its owner,
// and only then is anything made: a value that cannot be cloned leaves all as it was.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { DOMException, isDomException } = internals.domexception;
  const { isBlob } = internals.blob;
  const { copyOf } = internals.bytes;
  const { dictionary, domString, isObject, list, need, platform, sequence } = internals.webidl;
  const {
    ArrayBufferPrototypeGetByteLength,
    ArrayBufferPrototypeGetDetached,
    ArrayBufferPrototypeGetMaxByteLength,
    ArrayBufferPrototypeGetResizable,
    ArrayBufferPrototypeResize,
    ArrayBufferPrototypeTransfer,
    ArrayIsArray,
    ArrayPrototypePush,
    BigIntPrototypeValueOf,
    BooleanPrototypeValueOf,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    DatePrototypeGetTime,
    MapPrototypeEntries,
    MapIteratorPrototypeNext,
    NumberPrototypeValueOf,
    ObjectGetOwnPropertyDescriptor,
    ObjectGetPrototypeOf,
    ObjectHasOwn,
    ObjectKeys,
    ObjectPrototype,
    RegExpPrototypeGetFlags,
    RegExpPrototypeGetSource,
    SafeMap,
    SafeSet,
    SetIteratorPrototypeNext,
    SetPrototypeValues,
    String,
    StringPrototypeValueOf,
    TypedArrayPrototypeAt,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteOffset,
    TypedArrayPrototypeGetLength,
    TypedArrayPrototypeGetSymbolToStringTag,
    TypedArrayPrototypeSet,
    Uint8Array,
  } = primordials;

  // Kinds of records; `clone_make.js` reads them.
  const KIND = {
    __proto__: null,
    ARRAY: 0, BOXED: 1, BUFFER: 2, DATE: 3, ERROR: 4, MAP: 5, OBJECT: 6, PLATFORM: 7, REGEXP: 8, SET: 9, TRANSFERRED: 10,
    VIEW: 11,
  };

  const ERRORS = {
    __proto__: null,
    Error: true, EvalError: true, RangeError: true, ReferenceError: true, SyntaxError: true, TypeError: true, URIError: true,
  };

  function refuse(what) {
    throw new DOMException(what + " cannot be cloned", "DataCloneError");
  }

  /** A value as a primitive or a record; `seen` keeps what stands for which object. */
  function write(value, seen) {
    if (typeof value === "symbol") refuse("a symbol");
    if (!isObject(value)) return value;
    const known = seen.get(value);
    if (known !== undefined) return known;
    if (typeof value === "function") refuse("a function");
    if (core.isProxy(value)) refuse("a proxy");
    const record = { __proto__: null, kind: KIND.OBJECT };
    if (core.isArrayBuffer(value)) return writeBuffer(record, value, seen);
    if (core.isTypedArray(value)) return writeTyped(record, value, seen);
    if (core.isDataView(value)) return writeDataView(record, value, seen);
    seen.set(value, record);
    if (ArrayIsArray(value)) {
      record.kind = KIND.ARRAY;
      record.length = ObjectGetOwnPropertyDescriptor(value, "length").value;
      return writeProperties(record, value, seen);
    }
    const proto = ObjectGetPrototypeOf(value);
    // Most objects are these; an own look at each kind is for the others.
    if ((proto !== ObjectPrototype && proto !== null) || isSpecial(value)) {
      if (writeSpecial(record, value, seen)) return record;
    }
    return writeProperties(record, value, seen);
  }

  // Of an object whose prototype was changed by hand.
  function isSpecial(value) {
    return core.isBoxedPrimitive(value) || core.isDate(value) || core.isRegExp(value) || core.isMap(value) ||
      core.isSet(value) || core.isNativeError(value) || core.isPromise(value) || core.isWeakMap(value) ||
      core.isWeakSet(value) || core.isGeneratorObject(value) || core.isModuleNamespaceObject(value);
  }

  function writeSpecial(record, value, seen) {
    if (core.isBoxedPrimitive(value)) return writeBoxed(record, value);
    if (core.isDate(value)) {
      record.kind = KIND.DATE;
      record.value = DatePrototypeGetTime(value);
      return true;
    }
    if (core.isRegExp(value)) {
      record.kind = KIND.REGEXP;
      record.source = RegExpPrototypeGetSource(value);
      record.flags = RegExpPrototypeGetFlags(value);
      return true;
    }
    if (core.isMap(value)) return writeMap(record, value, seen);
    if (core.isSet(value)) return writeSet(record, value, seen);
    if (isDomException(value)) {
      record.kind = KIND.PLATFORM;
      record.name = value.name;
      record.message = value.message;
      record.make = "DOMException";
      return true;
    }
    if (core.isNativeError(value)) return writeError(record, value);
    if (isBlob(value) || internals.cryptokey.isKey(value)) {
      // Both never change: what a copy would hold is the same.
      record.kind = KIND.PLATFORM;
      record.make = isBlob(value) ? "Blob" : "CryptoKey";
      record.source = value;
      return true;
    }
    for (let i = 0; i < platform.length; i++) {
      if (platform[i](value)) refuse("an object of the platform's");
    }
    if (
      core.isPromise(value) || core.isWeakMap(value) || core.isWeakSet(value) || core.isGeneratorObject(value) ||
      core.isMapIterator(value) || core.isSetIterator(value) || core.isModuleNamespaceObject(value) || isWeak(value)
    ) {
      refuse("an object with a hidden state");
    }
    return false;
  }

  function isWeak(value) {
    try {
      primordials.WeakRefPrototypeDeref(value);
      return true;
    } catch {
      return false;
    }
  }

  function writeBoxed(record, value) {
    if (core.isSymbolObject(value)) refuse("a symbol");
    record.kind = KIND.BOXED;
    if (core.isBooleanObject(value)) record.value = BooleanPrototypeValueOf(value);
    else if (core.isNumberObject(value)) record.value = NumberPrototypeValueOf(value);
    else if (core.isBigIntObject(value)) record.value = BigIntPrototypeValueOf(value);
    else record.value = StringPrototypeValueOf(value);
    return true;
  }

  function writeMap(record, value, seen) {
    record.kind = KIND.MAP;
    // The entries first, then each: a getter may change the map.
    const entries = list();
    const iterator = MapPrototypeEntries(value);
    for (let step = MapIteratorPrototypeNext(iterator); !step.done; step = MapIteratorPrototypeNext(iterator)) {
      ArrayPrototypePush(entries, step.value[0], step.value[1]);
    }
    for (let i = 0; i < entries.length; i++) entries[i] = write(entries[i], seen);
    record.entries = entries;
    return true;
  }

  function writeSet(record, value, seen) {
    record.kind = KIND.SET;
    const entries = list();
    const iterator = SetPrototypeValues(value);
    for (let step = SetIteratorPrototypeNext(iterator); !step.done; step = SetIteratorPrototypeNext(iterator)) {
      ArrayPrototypePush(entries, step.value);
    }
    for (let i = 0; i < entries.length; i++) entries[i] = write(entries[i], seen);
    record.entries = entries;
    return true;
  }

  // Step 17: a name of the language's, a message of its own, and the stack, which is no more than text.
  function writeError(record, value) {
    record.kind = KIND.ERROR;
    const name = value.name;
    record.name = name !== undefined && ERRORS[String(name)] ? String(name) : "Error";
    const message = ObjectGetOwnPropertyDescriptor(value, "message");
    record.message = message !== undefined && ObjectHasOwn(message, "value") ? domString(message.value) : undefined;
    // The engine keeps it behind an accessor.
    const stack = ObjectHasOwn(value, "stack") ? value.stack : undefined;
    record.stack = typeof stack === "string" ? stack : undefined;
    return true;
  }

  function writeBuffer(record, value, seen) {
    if (ArrayBufferPrototypeGetDetached(value)) refuse("a detached ArrayBuffer");
    seen.set(value, record);
    record.kind = KIND.BUFFER;
    record.max = ArrayBufferPrototypeGetResizable(value) ? ArrayBufferPrototypeGetMaxByteLength(value) : undefined;
    record.bytes = TypedArrayPrototypeGetBuffer(copyOf(new Uint8Array(value)));
    return record;
  }

  function writeTyped(record, value, seen) {
    const buffer = TypedArrayPrototypeGetBuffer(value);
    try {
      // Throws for a view that its buffer no longer holds.
      TypedArrayPrototypeAt(value, 0);
    } catch {
      refuse("a view that reaches beyond its buffer");
    }
    record.kind = KIND.VIEW;
    record.type = TypedArrayPrototypeGetSymbolToStringTag(value);
    record.offset = TypedArrayPrototypeGetByteOffset(value);
    record.length = TypedArrayPrototypeGetLength(value);
    if (follows(value, buffer, record.offset, (view) => TypedArrayPrototypeAt(view, 0))) record.length = undefined;
    record.buffer = write(buffer, seen);
    seen.set(value, record);
    return record;
  }

  function writeDataView(record, value, seen) {
    record.kind = KIND.VIEW;
    record.type = "DataView";
    try {
      record.offset = DataViewPrototypeGetByteOffset(value);
      record.length = DataViewPrototypeGetByteLength(value);
    } catch {
      refuse("a view that reaches beyond its buffer");
    }
    const buffer = DataViewPrototypeGetBuffer(value);
    if (follows(value, buffer, record.offset, DataViewPrototypeGetByteLength)) record.length = undefined;
    record.buffer = write(buffer, seen);
    seen.set(value, record);
    return record;
  }

  // Whether a view's length is its buffer's: nothing says so but a buffer that is shorter for a moment, in which a view of
  // a length of its own reaches beyond the end. No script runs meanwhile.
  function follows(view, buffer, offset, check) {
    if (!ArrayBufferPrototypeGetResizable(buffer)) return false;
    const size = ArrayBufferPrototypeGetByteLength(buffer);
    if (offset === size) return false;
    const rest = copyOf(new Uint8Array(buffer, offset));
    ArrayBufferPrototypeResize(buffer, offset);
    let inside = true;
    try {
      check(view);
    } catch {
      inside = false;
    }
    ArrayBufferPrototypeResize(buffer, size);
    TypedArrayPrototypeSet(new Uint8Array(buffer, offset), rest, 0);
    return inside;
  }

  // Step 26.4: own, enumerable and named by text, in order; a getter may have taken away what comes later.
  function writeProperties(record, value, seen) {
    const keys = ObjectKeys(value);
    record.keys = list();
    record.values = list();
    for (let i = 0; i < keys.length; i++) {
      if (!ObjectHasOwn(value, keys[i])) continue;
      const item = write(value[keys[i]], seen);
      ArrayPrototypePush(record.keys, keys[i]);
      ArrayPrototypePush(record.values, item);
    }
    return record;
  }

  // Section 2.7.5.
  function structuredClone(value, options = undefined) {
    need(1, arguments.length, "structuredClone");
    const { transfer } = dictionary(options, "structuredClone: options");
    const moved = transfer === undefined ? list() : sequence(transfer, (item) => item, "structuredClone: transfer");
    const seen = new SafeMap();
    const once = new SafeSet();
    for (let i = 0; i < moved.length; i++) {
      if (!core.isArrayBuffer(moved[i])) throw new DOMException("only an ArrayBuffer can be transferred", "DataCloneError");
      if (once.has(moved[i])) throw new DOMException("what is transferred twice", "DataCloneError");
      once.add(moved[i]);
      seen.set(moved[i], { __proto__: null, kind: KIND.TRANSFERRED, made: undefined });
    }
    const written = write(value, seen);
    for (let i = 0; i < moved.length; i++) {
      if (ArrayBufferPrototypeGetDetached(moved[i])) refuse("a detached ArrayBuffer");
      try {
        seen.get(moved[i]).made = ArrayBufferPrototypeTransfer(moved[i]);
      } catch {
        refuse("an ArrayBuffer that cannot be moved");
      }
    }
    return internals.clone.make(written);
  }

  internals.clone = { KIND, structuredClone };
}
