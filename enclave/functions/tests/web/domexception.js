// Web IDL, section 4.3, and what all interfaces have in common (3.7).
test("a DOMException", () => {
  const error = new DOMException("why", "DataError");
  eq([error.name, error.message, error.code], ["DataError", "why", 0]);
  const bare = new DOMException();
  eq([bare.name, bare.message, bare.code], ["Error", "", 0]);
  ok(error instanceof Error && Object.getPrototypeOf(DOMException.prototype) === Error.prototype, "an Error");
  ok(Object.getPrototypeOf(DOMException) === Function.prototype, "by its prototype alone");
  eq(Object.prototype.toString.call(error), "[object DOMException]");
  eq(String(error), "DataError: why");
  eq(new DOMException(undefined, undefined).name, "Error");
  eq(new DOMException(null, null).name, "null");
  ok(typeof error.stack === "string" && error.stack.startsWith("DataError: why"), "a stack");
  throws(TypeError, () => DOMException());
  throws(TypeError, () => Object.getOwnPropertyDescriptor(DOMException.prototype, "name").get.call({}));
  throws(TypeError, () => DOMException.prototype.name);
});

table("a code", [
  ["IndexSizeError", 1], ["HierarchyRequestError", 3], ["WrongDocumentError", 4], ["InvalidCharacterError", 5], ["NoModificationAllowedError", 7],
  ["NotFoundError", 8], ["NotSupportedError", 9], ["InUseAttributeError", 10], ["InvalidStateError", 11], ["SyntaxError", 12],
  ["InvalidModificationError", 13], ["NamespaceError", 14], ["InvalidAccessError", 15], ["TypeMismatchError", 17], ["SecurityError", 18],
  ["NetworkError", 19], ["AbortError", 20], ["URLMismatchError", 21], ["QuotaExceededError", 22], ["TimeoutError", 23], ["InvalidNodeTypeError", 24],
  ["DataCloneError", 25], ["EncodingError", 0], ["OperationError", 0], ["nonsense", 0], ["toString", 0], ["DOMStringSizeError", 0],
], (name, code) => eq(new DOMException("", name).code, code));

test("constants", () => {
  eq([DOMException.ABORT_ERR, DOMException.DATA_CLONE_ERR, DOMException.prototype.INDEX_SIZE_ERR, DOMException.VALIDATION_ERR], [20, 25, 1, 16]);
  throws(TypeError, () => { DOMException.ABORT_ERR = 1; });
});

// Classes, and how many arguments each needs.
const INTERFACES = [
  [AbortController, 0], [AbortSignal, 0], [Blob, 0], [Crypto, 0], [CryptoKey, 0], [CustomEvent, 1], [DOMException, 0], [Event, 1], [EventTarget, 0],
  [Headers, 0], [Performance, 0], [Request, 1], [Response, 0], [SubtleCrypto, 0], [TextDecoder, 0], [TextEncoder, 0], [URL, 1], [URLSearchParams, 0],
];

table("an interface", INTERFACES, (Interface, length) => {
  const { name } = Interface;
  const global = Object.getOwnPropertyDescriptor(globalThis, name);
  eq([global.value === Interface, global.writable, global.enumerable, global.configurable], [true, true, false, true], "the global");
  eq(Interface.length, length, "length");
  const prototype = Object.getOwnPropertyDescriptor(Interface, "prototype");
  eq([prototype.writable, prototype.enumerable, prototype.configurable], [false, false, false], "prototype");
  eq(Object.getOwnPropertyDescriptor(Interface.prototype, "constructor").enumerable, false, "constructor");
  eq(Interface.prototype[Symbol.toStringTag], name, "toStringTag");
  eq(Object.getOwnPropertyDescriptor(Interface.prototype, Symbol.toStringTag).writable, false);
  throws(TypeError, () => Interface(), "without new");
  for (const key of Object.getOwnPropertyNames(Interface.prototype)) {
    if (key === "constructor") continue;
    const slot = Object.getOwnPropertyDescriptor(Interface.prototype, key);
    eq(slot.enumerable, true, `${key} is enumerable`);
    if (slot.get !== undefined) throws(TypeError, () => slot.get.call({}), `${key} of another object`);
    if (slot.set !== undefined) throws(TypeError, () => slot.set.call({}, 1), `setting ${key} of another object`);
  }
});

table("an interface without a constructor", [[AbortSignal], [Crypto], [CryptoKey], [Performance], [SubtleCrypto]], (Interface) => {
  throws(TypeError, () => new Interface());
  throws(TypeError, () => new Interface(Symbol("ours")));
  throws(TypeError, () => new (class extends Interface {})());
});

table("methods of another object", INTERFACES.map(([Interface]) => [Interface]), async (Interface) => {
  for (const key of Object.getOwnPropertyNames(Interface.prototype)) {
    const { value } = Object.getOwnPropertyDescriptor(Interface.prototype, key);
    if (key === "constructor" || typeof value !== "function") continue;
    let refused = false;
    try {
      await value.call({}, "a", "b", "c", "d", "e", "f", "g");
    } catch (error) {
      refused = error instanceof TypeError;
    }
    ok(refused, `${key} of another object is refused`);
  }
});
