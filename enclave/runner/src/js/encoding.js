// `TextEncoder` and `TextDecoder` (the Encoding standard), `atob` and `btoa` (HTML, section 8.3).
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_atob, op_r3e_btoa, op_r3e_text_decode, op_r3e_utf8_encode_into } = core.ops;
  const { encodeUtf8, joined, needView, partOf, viewOf } = internals.bytes;
  const { DOMException } = internals.domexception;
  const { asInterface, dictionary, domString, need, platform, usvString } = internals.webidl;

  const {
    ArrayPrototypePush,
    MathFloor,
    RangeError,
    StringPrototypeReplace,
    StringPrototypeSlice,
    StringPrototypeToLowerCase,
    SafeRegExp,
    TypeError,
    TypedArrayPrototypeGetByteLength,
    TypedArrayPrototypeGetSymbolToStringTag,
    Uint8Array,
  } = primordials;

  function btoa(data) {
    need(1, arguments.length, "btoa");
    const result = op_r3e_btoa(domString(data));
    if (result.ok) return result.text;
    throw new DOMException("btoa: the text holds a character above U+00FF", "InvalidCharacterError");
  }

  function atob(data) {
    need(1, arguments.length, "atob");
    const result = op_r3e_atob(domString(data));
    if (result.ok) return result.text;
    throw new DOMException("atob: the text is not base64", "InvalidCharacterError");
  }

  // Section 4.2, "names and labels", for the encodings that are here.
  const LABELS = {
    __proto__: null,
    "unicode-1-1-utf-8": "utf-8",
    "unicode11utf8": "utf-8",
    "unicode20utf8": "utf-8",
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "x-unicode20utf8": "utf-8",
    "unicodefffe": "utf-16be",
    "utf-16be": "utf-16be",
    "csunicode": "utf-16le",
    "iso-10646-ucs-2": "utf-16le",
    "ucs-2": "utf-16le",
    "unicode": "utf-16le",
    "unicodefeff": "utf-16le",
    "utf-16": "utf-16le",
    "utf-16le": "utf-16le",
  };
  const AROUND = new SafeRegExp("^[\\t\\n\\f\\r ]+|[\\t\\n\\f\\r ]+$", "g");

  class TextEncoder {
    static {
      ArrayPrototypePush(platform, (value) => #brand in value);
    }

    #brand;

    get encoding() {
      this.#brand;
      return "utf-8";
    }

    encode(input = "") {
      this.#brand;
      return encodeUtf8(usvString(input));
    }

    encodeInto(source, destination) {
      this.#brand;
      need(2, arguments.length, "encodeInto");
      const text = usvString(source);
      if (!core.isTypedArray(destination) || TypedArrayPrototypeGetSymbolToStringTag(destination) !== "Uint8Array") {
        throw new TypeError("encodeInto: the destination must be a Uint8Array");
      }
      const target = viewOf(destination);
      const room = TypedArrayPrototypeGetByteLength(target);
      if (room === 0) return { read: 0, written: 0 };
      // A unit takes a byte at least. The cut may halve a pair; its first half then does not fit, or counts for none.
      const sum = op_r3e_utf8_encode_into(StringPrototypeSlice(text, 0, room + 1), target);
      const read = MathFloor(sum / 0x1_0000_0000);
      return { read, written: sum - read * 0x1_0000_0000 };
    }
  }

  class TextDecoder {
    static {
      ArrayPrototypePush(platform, (value) => #encoding in value);
    }

    #encoding;
    #fatal;
    #ignoreBom;
    // What an earlier piece left: bytes of an unfinished character, and whether the start is behind.
    #left = undefined;
    #begun = false;

    constructor(label = "utf-8", options = undefined) {
      const given = StringPrototypeReplace(domString(label), AROUND, "");
      const encoding = LABELS[StringPrototypeToLowerCase(given)];
      const { fatal, ignoreBOM } = dictionary(options, "TextDecoder: options");
      if (encoding === undefined) {
        throw new RangeError("TextDecoder: '" + StringPrototypeSlice(given, 0, 100) + "' is not an encoding that is here");
      }
      this.#encoding = encoding;
      this.#fatal = !!fatal;
      this.#ignoreBom = !!ignoreBOM;
    }

    get encoding() {
      return this.#encoding;
    }

    get fatal() {
      return this.#fatal;
    }

    get ignoreBOM() {
      return this.#ignoreBom;
    }

    decode(input = undefined, options = undefined) {
      this.#encoding;
      if (input !== undefined) needView(input, "decode: the input");
      const stream = !!dictionary(options, "decode: options").stream;
      // Only now: what reads the options may have taken the bytes away.
      let bytes = input === undefined ? new Uint8Array(0) : viewOf(input);
      if (this.#left !== undefined) bytes = joined(this.#left, bytes);
      const { ok, text, left } = op_r3e_text_decode(this.#encoding, bytes, this.#fatal, stream);
      const begun = this.#begun;
      this.#left = stream && ok && left > 0
        ? partOf(bytes, TypedArrayPrototypeGetByteLength(bytes) - left)
        : undefined;
      this.#begun = stream && (begun || text !== "");
      if (!ok) {
        this.#begun = false;
        throw new TypeError("TextDecoder: the bytes are not " + this.#encoding);
      }
      if (!begun && !this.#ignoreBom && text[0] === "\ufeff") return StringPrototypeSlice(text, 1);
      return text;
    }
  }

  asInterface(TextEncoder, "TextEncoder");
  asInterface(TextDecoder, "TextDecoder");

  internals.encoding = { TextDecoder, TextEncoder, atob, btoa };
}
