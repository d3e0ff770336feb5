// Turns whatever was thrown into three bounded texts, without trusting it: getters may throw, and a
// proxy may do anything at all.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const {
    ErrorPrototype,
    ObjectPrototypeIsPrototypeOf,
    String,
    StringPrototypeSlice,
    SymbolPrototypeToString,
  } = primordials;

  const MAX_TEXT_CHARS = 3072;

  function read(object, key) {
    try {
      const value = object[key];
      return typeof value === "string" ? StringPrototypeSlice(value, 0, MAX_TEXT_CHARS) : undefined;
    } catch {
      return undefined;
    }
  }

  function primitiveText(value) {
    if (typeof value === "symbol") return SymbolPrototypeToString(value);
    return StringPrototypeSlice(String(value), 0, MAX_TEXT_CHARS);
  }

  /** `{ name, message, stack }` of a thrown value, each a string; `stack` may be empty. */
  function describe(thrown) {
    if (thrown === null || (typeof thrown !== "object" && typeof thrown !== "function")) {
      return { __proto__: null, name: "Error", message: "thrown: " + primitiveText(thrown), stack: "" };
    }
    return {
      __proto__: null,
      name: read(thrown, "name") || "Error",
      message: read(thrown, "message") ?? "thrown: an object without a message",
      stack: read(thrown, "stack") ?? "",
    };
  }

  /** Whether a value is an Error of this realm; never runs code of the value's. */
  function isError(value) {
    return core.isNativeError(value) ||
      (!core.isProxy(value) && ObjectPrototypeIsPrototypeOf(ErrorPrototype, value));
  }

  internals.errors = { describe, isError };
}
