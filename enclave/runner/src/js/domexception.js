// `DOMException`: Web IDL, section 4.3. The web platform's errors that are no error of the language.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { asInterface, constants, domString } = internals.webidl;
  const { ErrorCaptureStackTrace, ErrorPrototype, ObjectSetPrototypeOf, ReflectDeleteProperty, ReflectOwnKeys } = primordials;

  // Names with a number of their own, from the table in section 2.8.1; new names have none.
  const CODES = {
    __proto__: null,
    IndexSizeError: ["INDEX_SIZE_ERR", 1],
    DOMStringSizeError: ["DOMSTRING_SIZE_ERR", 2],
    HierarchyRequestError: ["HIERARCHY_REQUEST_ERR", 3],
    WrongDocumentError: ["WRONG_DOCUMENT_ERR", 4],
    InvalidCharacterError: ["INVALID_CHARACTER_ERR", 5],
    NoDataAllowedError: ["NO_DATA_ALLOWED_ERR", 6],
    NoModificationAllowedError: ["NO_MODIFICATION_ALLOWED_ERR", 7],
    NotFoundError: ["NOT_FOUND_ERR", 8],
    NotSupportedError: ["NOT_SUPPORTED_ERR", 9],
    InUseAttributeError: ["INUSE_ATTRIBUTE_ERR", 10],
    InvalidStateError: ["INVALID_STATE_ERR", 11],
    SyntaxError: ["SYNTAX_ERR", 12],
    InvalidModificationError: ["INVALID_MODIFICATION_ERR", 13],
    NamespaceError: ["NAMESPACE_ERR", 14],
    InvalidAccessError: ["INVALID_ACCESS_ERR", 15],
    ValidationError: ["VALIDATION_ERR", 16],
    TypeMismatchError: ["TYPE_MISMATCH_ERR", 17],
    SecurityError: ["SECURITY_ERR", 18],
    NetworkError: ["NETWORK_ERR", 19],
    AbortError: ["ABORT_ERR", 20],
    URLMismatchError: ["URL_MISMATCH_ERR", 21],
    QuotaExceededError: ["QUOTA_EXCEEDED_ERR", 22],
    TimeoutError: ["TIMEOUT_ERR", 23],
    InvalidNodeTypeError: ["INVALID_NODE_TYPE_ERR", 24],
    DataCloneError: ["DATA_CLONE_ERR", 25],
  };

  // In the table for their numbers alone: they are constants, and no name gives them.
  const RETIRED = { __proto__: null, DOMStringSizeError: true, NoDataAllowedError: true, ValidationError: true };

  let isDomException;

  class DOMException {
    #name;
    #message;

    static {
      isDomException = (value) => typeof value === "object" && value !== null && #name in value;
    }

    constructor(message = "", name = "Error") {
      this.#message = domString(message);
      this.#name = domString(name);
      // Its head is the name and the message, which stand by now.
      ErrorCaptureStackTrace(this, DOMException);
      // The engine leaves a note of its own beside the stack.
      const keys = ReflectOwnKeys(this);
      for (let i = 0; i < keys.length; i++) {
        if (typeof keys[i] === "symbol") ReflectDeleteProperty(this, keys[i]);
      }
    }

    get name() {
      return this.#name;
    }

    get message() {
      return this.#message;
    }

    get code() {
      return RETIRED[this.#name] ? 0 : CODES[this.#name]?.[1] ?? 0;
    }
  }

  ObjectSetPrototypeOf(DOMException.prototype, ErrorPrototype);
  asInterface(DOMException, "DOMException");
  const numbers = { __proto__: null };
  for (const name in CODES) numbers[CODES[name][0]] = CODES[name][1];
  constants(DOMException, numbers);

  internals.domexception = { DOMException, isDomException };
}
