// Bytes of an ArrayBuffer or of a view on one, and the functions between bytes and text.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const {
    op_r3e_atob,
    op_r3e_base64_decode,
    op_r3e_base64_encode,
    op_r3e_btoa,
    op_r3e_utf8_decode,
    op_r3e_utf8_encode,
  } = core.ops;
  const { namedError } = internals.errors;

  const {
    ArrayBufferPrototypeGetByteLength,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
    Error,
    RangeError,
    StringPrototypeToWellFormed,
    TypeError,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetByteOffset,
    TypedArrayPrototypeSet,
    Uint8Array,
  } = primordials;

  /** A `Uint8Array` over the same memory as a BufferSource, or undefined for anything else. */
  function viewOf(source) {
    if (core.isArrayBuffer(source)) {
      return new Uint8Array(source, 0, ArrayBufferPrototypeGetByteLength(source));
    }
    if (core.isTypedArray(source)) {
      return new Uint8Array(
        TypedArrayPrototypeGetBuffer(source),
        TypedArrayPrototypeGetByteOffset(source),
        TypedArrayPrototypeGetByteLength(source),
      );
    }
    if (core.isDataView(source)) {
      return new Uint8Array(
        DataViewPrototypeGetBuffer(source),
        DataViewPrototypeGetByteOffset(source),
        DataViewPrototypeGetByteLength(source),
      );
    }
    return undefined;
  }

  /** A copy of some bytes in a buffer of their own. */
  function copyOf(view) {
    return new Uint8Array(view);
  }

  // Half a surrogate pair becomes U+FFFD.
  const encodeUtf8 = (text) => op_r3e_utf8_encode(StringPrototypeToWellFormed(text));
  const decodeUtf8 = (view) => op_r3e_utf8_decode(view, false, false).text;
  const encodeBase64 = (view) => op_r3e_base64_encode(view);
  const decodeBase64 = (text) => op_r3e_base64_decode(text);

  function btoa(text) {
    const result = op_r3e_btoa(`${text}`);
    if (result.ok) return result.text;
    throw namedError(Error, "InvalidCharacterError", "btoa: the text holds a character above U+00FF");
  }

  function atob(text) {
    const result = op_r3e_atob(`${text}`);
    if (result.ok) return result.text;
    throw namedError(Error, "InvalidCharacterError", "atob: the text is not base64");
  }

  class TextEncoder {
    get encoding() {
      return "utf-8";
    }

    encode(text = "") {
      return encodeUtf8(`${text}`);
    }

    encodeInto(text, target) {
      // Whole characters only, as many as fit.
      const source = `${text}`;
      const room = TypedArrayPrototypeGetByteLength(target);
      let read = 0;
      let written = 0;
      for (; read < source.length;) {
        const unit = source[read];
        const isPair = unit >= "\ud800" && unit <= "\udbff" && source[read + 1] >= "\udc00" &&
          source[read + 1] <= "\udfff";
        const bytes = encodeUtf8(isPair ? unit + source[read + 1] : unit);
        const size = TypedArrayPrototypeGetByteLength(bytes);
        if (written + size > room) break;
        TypedArrayPrototypeSet(target, bytes, written);
        written += size;
        read += isPair ? 2 : 1;
      }
      return { read, written };
    }
  }

  class TextDecoder {
    #fatal;
    #ignoreBom;

    constructor(label = "utf-8", options = { __proto__: null }) {
      const name = `${label}`;
      if (name !== "utf-8" && name !== "utf8" && name !== "UTF-8") {
        throw new RangeError(`TextDecoder: only utf-8 is supported, not ${name}`);
      }
      this.#fatal = !!options?.fatal;
      this.#ignoreBom = !!options?.ignoreBOM;
    }

    get encoding() {
      return "utf-8";
    }

    get fatal() {
      return this.#fatal;
    }

    get ignoreBOM() {
      return this.#ignoreBom;
    }

    decode(source, options = { __proto__: null }) {
      if (options?.stream) throw new TypeError("TextDecoder: decoding in pieces is not supported");
      if (source === undefined) return "";
      const view = viewOf(source);
      if (view === undefined) throw new TypeError("TextDecoder: not an ArrayBuffer or a view on one");
      const result = op_r3e_utf8_decode(view, this.#fatal, this.#ignoreBom);
      if (!result.ok) throw new TypeError("TextDecoder: the bytes are not UTF-8");
      return result.text;
    }
  }

  internals.bytes = { viewOf, copyOf, encodeUtf8, decodeUtf8, encodeBase64, decodeBase64, btoa, atob, TextEncoder, TextDecoder };
}
