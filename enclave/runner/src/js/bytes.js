// Bytes of an ArrayBuffer or of a view on one, and text as UTF-8.
"use strict";

{
  const { core, internals, primordials } = globalThis.__bootstrap;
  const { op_r3e_base64_decode, op_r3e_base64_encode, op_r3e_utf8_decode, op_r3e_utf8_encode } = core.ops;

  const {
    ArrayBufferPrototypeGetByteLength,
    ArrayBufferPrototypeGetDetached,
    DataViewPrototypeGetBuffer,
    DataViewPrototypeGetByteLength,
    DataViewPrototypeGetByteOffset,
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
      return over(source, 0, ArrayBufferPrototypeGetByteLength(source));
    }
    if (core.isTypedArray(source)) {
      return over(
        TypedArrayPrototypeGetBuffer(source),
        TypedArrayPrototypeGetByteOffset(source),
        TypedArrayPrototypeGetByteLength(source),
      );
    }
    if (core.isDataView(source)) {
      const buffer = DataViewPrototypeGetBuffer(source);
      if (ArrayBufferPrototypeGetDetached(buffer)) return new Uint8Array(0);
      return over(buffer, DataViewPrototypeGetByteOffset(source), DataViewPrototypeGetByteLength(source));
    }
    return undefined;
  }

  // Web IDL, section 3.2.27, "get a copy of the bytes": a detached buffer has none.
  function over(buffer, offset, length) {
    return ArrayBufferPrototypeGetDetached(buffer) ? new Uint8Array(0) : new Uint8Array(buffer, offset, length);
  }

  /** The view of a BufferSource; throws for anything else. */
  function needView(source, what) {
    const view = viewOf(source);
    if (view === undefined) throw new TypeError(what + " must be an ArrayBuffer or a view on one");
    return view;
  }

  /** A copy of some bytes in a buffer of their own. */
  function copyOf(view) {
    return new Uint8Array(view);
  }

  /** A copy of the bytes from one place to another. Not by `subarray`, which asks the script for a constructor. */
  function partOf(view, from, to = TypedArrayPrototypeGetByteLength(view)) {
    const buffer = TypedArrayPrototypeGetBuffer(view);
    return new Uint8Array(new Uint8Array(buffer, TypedArrayPrototypeGetByteOffset(view) + from, to - from));
  }

  /** Some bytes after others. */
  function joined(first, second) {
    const size = TypedArrayPrototypeGetByteLength(first);
    const both = new Uint8Array(size + TypedArrayPrototypeGetByteLength(second));
    TypedArrayPrototypeSet(both, first, 0);
    TypedArrayPrototypeSet(both, second, size);
    return both;
  }

  // Half a surrogate pair becomes U+FFFD.
  const encodeUtf8 = (text) => op_r3e_utf8_encode(StringPrototypeToWellFormed(text));
  /** Encoding standard, "UTF-8 decode": a byte order mark is dropped, what is malformed becomes U+FFFD. */
  const decodeUtf8 = (view) => op_r3e_utf8_decode(view);
  const encodeBase64 = (view) => op_r3e_base64_encode(view);
  const decodeBase64 = (text) => op_r3e_base64_decode(text);

  internals.bytes = { viewOf, needView, copyOf, partOf, joined, encodeUtf8, decodeUtf8, encodeBase64, decodeBase64 };
}
