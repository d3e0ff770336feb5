// Shows any value as bounded text. Runs no code of the value's: no getter, no toString, no proxy trap.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { describe, isError } = internals.errors;

  const {
    ArrayIsArray,
    DatePrototypeToISOString,
    JSONStringify,
    MapPrototypeGetSize,
    NumberPrototypeToString,
    ObjectGetOwnPropertyDescriptor,
    ObjectIs,
    ReflectOwnKeys,
    SafeMapIterator,
    SafeSet,
    SafeSetIterator,
    SetPrototypeGetSize,
    String,
    StringPrototypeSlice,
    SymbolPrototypeToString,
    TypedArrayPrototypeGetLength,
    TypedArrayPrototypeGetSymbolToStringTag,
  } = primordials;

  const MAX_CHARS = 8192;
  const MAX_DEPTH = 4;
  const MAX_ENTRIES = 100;

  class Writer {
    text = "";
    seen = new SafeSet();

    get full() {
      return this.text.length >= MAX_CHARS;
    }

    put(piece) {
      if (this.full) return;
      this.text += StringPrototypeSlice(piece, 0, MAX_CHARS - this.text.length);
    }
  }

  /** Text of one value, as it stands alone in a log line: strings without quotes. */
  function format(value) {
    if (typeof value === "string") return StringPrototypeSlice(value, 0, MAX_CHARS);
    const writer = new Writer();
    try {
      write(writer, value, 0);
    } catch {
      // What says that it is of one of the language's classes need not be.
      writer.put("[Object]");
    }
    return writer.text;
  }

  function write(writer, value, depth) {
    if (writer.full) return;
    switch (typeof value) {
      case "string":
        return writer.put(JSONStringify(StringPrototypeSlice(value, 0, MAX_CHARS)));
      case "number":
        return writer.put(ObjectIs(value, -0) ? "-0" : NumberPrototypeToString(value));
      case "bigint":
        // Converting a huge one to decimal takes quadratic time: the host's limits end it.
        return writer.put(String(value) + "n");
      case "symbol":
        return writer.put(SymbolPrototypeToString(value));
      case "function":
        return writer.put(core.isProxy(value) ? "[Proxy]" : "[Function: " + ownName(value) + "]");
      case "object":
        return value === null ? writer.put("null") : writeObject(writer, value, depth);
      default:
        return writer.put(String(value));
    }
  }

  function ownName(value) {
    const name = ObjectGetOwnPropertyDescriptor(value, "name")?.value;
    return typeof name === "string" && name !== "" ? name : "(anonymous)";
  }

  function writeObject(writer, value, depth) {
    if (core.isProxy(value)) return writer.put("[Proxy]");
    if (writer.seen.has(value)) return writer.put("[Circular]");
    if (isError(value)) {
      const { name, message, stack } = describe(value);
      // A stack begins with the name and the message.
      return writer.put(stack !== "" && depth === 0 ? stack : name + ": " + message);
    }
    if (core.isDate(value)) return writer.put(dateText(value));
    if (core.isRegExp(value)) return writer.put("[RegExp]");
    if (core.isPromise(value)) return writer.put("[Promise]");
    if (core.isAnyArrayBuffer(value)) return writer.put("[ArrayBuffer]");
    const tag = TypedArrayPrototypeGetSymbolToStringTag(value);
    if (tag !== undefined) return writer.put("[" + tag + "(" + TypedArrayPrototypeGetLength(value) + ")]");
    if (depth >= MAX_DEPTH) return writer.put(ArrayIsArray(value) ? "[Array]" : "[Object]");
    writer.seen.add(value);
    if (core.isMap(value)) writeMap(writer, value, depth);
    else if (core.isSet(value)) writeSet(writer, value, depth);
    else if (ArrayIsArray(value)) writeArray(writer, value, depth);
    else writeRecord(writer, value, depth);
    writer.seen.delete(value);
    return undefined;
  }

  function dateText(value) {
    try {
      return DatePrototypeToISOString(value);
    } catch {
      return "Invalid Date";
    }
  }

  function writeArray(writer, value, depth) {
    const length = ObjectGetOwnPropertyDescriptor(value, "length").value;
    writer.put("[");
    for (let i = 0; i < length && !writer.full; i++) {
      if (i > 0) writer.put(", ");
      if (i >= MAX_ENTRIES) {
        writer.put("... " + (length - i) + " more");
        break;
      }
      const slot = ObjectGetOwnPropertyDescriptor(value, i);
      if (slot === undefined) writer.put("empty");
      else writeSlot(writer, slot, depth);
    }
    writer.put("]");
  }

  function writeRecord(writer, value, depth) {
    const keys = ReflectOwnKeys(value);
    writer.put("{");
    for (let i = 0; i < keys.length && !writer.full; i++) {
      writer.put(i > 0 ? ", " : " ");
      if (i >= MAX_ENTRIES) {
        writer.put("... " + (keys.length - i) + " more");
        break;
      }
      const key = keys[i];
      writer.put(typeof key === "symbol" ? "[" + SymbolPrototypeToString(key) + "]" : StringPrototypeSlice(key, 0, 200));
      writer.put(": ");
      writeSlot(writer, ObjectGetOwnPropertyDescriptor(value, key), depth);
    }
    writer.put(keys.length > 0 ? " }" : "}");
  }

  function writeSlot(writer, slot, depth) {
    if (slot !== undefined && slot.get === undefined && slot.set === undefined) {
      write(writer, slot.value, depth + 1);
    } else {
      writer.put("[Getter]");
    }
  }

  function writeMap(writer, value, depth) {
    writer.put("Map(" + MapPrototypeGetSize(value) + ") {");
    let count = 0;
    for (const entry of new SafeMapIterator(value)) {
      if (writer.full || count >= MAX_ENTRIES) break;
      writer.put(count++ > 0 ? ", " : " ");
      write(writer, entry[0], depth + 1);
      writer.put(" => ");
      write(writer, entry[1], depth + 1);
    }
    writer.put(" }");
  }

  function writeSet(writer, value, depth) {
    writer.put("Set(" + SetPrototypeGetSize(value) + ") {");
    let count = 0;
    for (const item of new SafeSetIterator(value)) {
      if (writer.full || count >= MAX_ENTRIES) break;
      writer.put(count++ > 0 ? ", " : " ");
      write(writer, item, depth + 1);
    }
    writer.put(" }");
  }

  internals.format = { format };
}
