// `Blob`: the File API, section 3, without streams: bytes with a type.
"use strict";

{
  const { internals, primordials } = globalThis.__bootstrap;
  const { copyOf, decodeUtf8, encodeUtf8, partOf, viewOf } = internals.bytes;
  const { asInterface, dictionary, domString, enumeration, list, sequence, usvString } = internals.webidl;

  const {
    ArrayPrototypePush,
    MathMax,
    MathMin,
    MathTrunc,
    RegExpPrototypeTest,
    SafeRegExp,
    StringPrototypeReplace,
    StringPrototypeToLowerCase,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeSet,
    Uint8Array,
  } = primordials;

  const PRINTABLE = new SafeRegExp("^[\\x20-\\x7e]*$");
  const LINE_END = new SafeRegExp("\\r\\n|\\r|\\n", "g");

  let isBlob;
  let bytesOf;
  let typeOf;
  let makeBlob;

  class Blob {
    #bytes = new Uint8Array(0);
    #type = "";

    static {
      isBlob = (value) => typeof value === "object" && value !== null && #bytes in value;
      bytesOf = (blob) => blob.#bytes;
      typeOf = (blob) => blob.#type;
      makeBlob = (bytes, type) => {
        const blob = new Blob();
        blob.#bytes = bytes;
        blob.#type = type;
        return blob;
      };
    }

    constructor(blobParts = undefined, options = undefined) {
      const parts = blobParts === undefined ? list() : sequence(blobParts, part, "Blob: the parts");
      const { endings, type } = dictionary(options, "Blob: options");
      const native = endings !== undefined && enumeration(endings, ["transparent", "native"], "Blob: endings") === "native";
      let size = 0;
      const pieces = list();
      for (let i = 0; i < parts.length; i++) {
        const piece = typeof parts[i] === "string"
          ? encodeUtf8(native ? StringPrototypeReplace(parts[i], LINE_END, "\n") : parts[i])
          : parts[i];
        size += TypedArrayPrototypeGetByteLength(piece);
        ArrayPrototypePush(pieces, piece);
      }
      this.#bytes = new Uint8Array(size);
      let at = 0;
      for (let i = 0; i < pieces.length; i++) {
        TypedArrayPrototypeSet(this.#bytes, pieces[i], at);
        at += TypedArrayPrototypeGetByteLength(pieces[i]);
      }
      this.#type = checkType(type);
    }

    get size() {
      return TypedArrayPrototypeGetByteLength(this.#bytes);
    }

    get type() {
      return this.#type;
    }

    slice(start = 0, end = undefined, contentType = "") {
      const size = TypedArrayPrototypeGetByteLength(this.#bytes);
      const from = place(start, size);
      const to = end === undefined ? size : place(end, size);
      const bytes = partOf(this.#bytes, from, MathMax(from, to));
      return makeBlob(bytes, checkType(contentType));
    }

    async text() {
      return decodeUtf8(this.#bytes);
    }

    async arrayBuffer() {
      return TypedArrayPrototypeGetBuffer(copyOf(this.#bytes));
    }

    async bytes() {
      return copyOf(this.#bytes);
    }
  }

  // Read when the parts are walked, as the standard's order of steps has it.
  function part(value) {
    if (isBlob(value)) return bytesOf(value);
    const view = viewOf(value);
    return view === undefined ? usvString(value) : copyOf(view);
  }

  function checkType(type) {
    if (type === undefined) return "";
    const text = domString(type);
    return RegExpPrototypeTest(PRINTABLE, text) ? StringPrototypeToLowerCase(text) : "";
  }

  function place(value, size) {
    const number = MathTrunc(+value) || 0;
    return number < 0 ? MathMax(size + number, 0) : MathMin(number, size);
  }

  asInterface(Blob, "Blob");

  internals.blob = { Blob, bytesOf, isBlob, makeBlob, typeOf };
}
