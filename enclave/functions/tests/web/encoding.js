// The Encoding standard, with utf-8, utf-16le and utf-16be.
table("a label", [
  ["utf-8", "utf-8"], ["UTF-8", "utf-8"], ["utf8", "utf-8"], [" \t\n\f\rutf8 ", "utf-8"], ["unicode-1-1-utf-8", "utf-8"],
  ["x-unicode20utf8", "utf-8"], ["unicode11utf8", "utf-8"], ["unicode20utf8", "utf-8"], ["utf-16", "utf-16le"],
  ["utf-16le", "utf-16le"], ["UCS-2", "utf-16le"], ["csunicode", "utf-16le"], ["iso-10646-ucs-2", "utf-16le"],
  ["unicode", "utf-16le"], ["unicodefeff", "utf-16le"], ["utf-16be", "utf-16be"], ["unicodefffe", "utf-16be"],
], (label, name) => eq(new TextDecoder(label).encoding, name));

table("no label", [["utf-7"], ["utf-32"], [""], ["utf 8"], ["\u00a0utf-8"], ["utf-8\u0000"], ["nonsense"], ["UTF\u20138"]], (label) => {
  throws(RangeError, () => new TextDecoder(label));
});

table("an encoding of the web's past", [["windows-1252"], ["iso-8859-2"], ["shift_jis"], ["gbk"]], (label) => {
  eq(new TextDecoder(label).encoding, label);
});

table("encodes", [
  ["", ""], ["a", "61"], ["\u0000\u007f", "007f"], ["\u0080\u07ff", "c280dfbf"], ["\u0800\uffff", "e0a080efbfbf"],
  ["\ud83d\ude00", "f09f9880"], ["\ud800", "efbfbd"], ["\udc00", "efbfbd"], ["\udc00\ud800", "efbfbdefbfbd"],
  ["a\ud800b", "61efbfbd62"], ["\ufeff", "efbbbf"], ["\udbff\udfff", "f48fbfbf"],
], (text, expected) => eq(toHex(new TextEncoder().encode(text)), expected));

test("an encoder", () => {
  const encoder = new TextEncoder();
  eq(encoder.encoding, "utf-8");
  eq(encoder.encode().length, 0);
  eq(encoder.encode(undefined).length, 0);
  eq(toHex(encoder.encode(null)), toHex(utf8("null")));
  ok(encoder.encode("x") instanceof Uint8Array, "a Uint8Array");
  throws(TypeError, () => TextEncoder());
  throws(TypeError, () => encoder.encode(Symbol("s")));
  throws(TypeError, () => TextEncoder.prototype.encode.call({}, "x"));
});

// Text, room, units read, bytes written.
table("encodes into", [
  ["", 10, 0, 0], ["hi", 10, 2, 2], ["hi", 1, 1, 1], ["hi", 0, 0, 0], ["\u20ac", 2, 0, 0], ["a\u20ac", 3, 1, 1],
  ["a\u20ac", 4, 2, 4], ["\ud83d\ude00", 3, 0, 0], ["\ud83d\ude00", 4, 2, 4], ["aaaa\ud83d\ude00", 4, 4, 4],
  ["\ud83d\ude00x", 5, 3, 5], ["\ud800", 3, 1, 3], ["\ud800", 2, 0, 0], ["\udc00x", 4, 2, 4], ["a\ud800", 1, 1, 1],
], (text, room, read, written) => {
  const target = new Uint8Array(room + 2).fill(0xaa);
  const result = new TextEncoder().encodeInto(text, target.subarray(1, 1 + room));
  eq([result.read, result.written], [read, written]);
  eq(toHex(target.slice(1, 1 + written)), toHex(utf8(text)).slice(0, written * 2));
  eq(target[0] === 0xaa && target[1 + written] === 0xaa, true, "nothing beyond");
});

test("encodes into a Uint8Array alone", () => {
  for (const wrong of [new ArrayBuffer(8), new Uint16Array(8), new Uint8ClampedArray(8), new DataView(new ArrayBuffer(8)), [], null]) {
    throws(TypeError, () => new TextEncoder().encodeInto("x", wrong));
  }
});

// Bytes, and their text; what is malformed becomes U+FFFD, as many as the standard counts.
table("decodes utf-8", [
  ["", ""], ["61", "a"], ["00", "\u0000"], ["c3a9", "\u00e9"], ["e282ac", "\u20ac"], ["f09f9880", "\ud83d\ude00"],
  ["efbbbf61", "a"], ["efbbbfefbbbf61", "\ufeffa"], ["efbbbf", ""], ["efbb", "\ufffd"], ["ff", "\ufffd"], ["80", "\ufffd"],
  ["c0", "\ufffd"], ["c080", "\ufffd\ufffd"], ["c328", "\ufffd("], ["e2", "\ufffd"], ["e282", "\ufffd"], ["e28228", "\ufffd("],
  ["e228a1", "\ufffd(\ufffd"], ["eda080", "\ufffd\ufffd\ufffd"], ["edb080", "\ufffd\ufffd\ufffd"], ["f0908d", "\ufffd"],
  ["f0808080", "\ufffd\ufffd\ufffd\ufffd"], ["f48fbfbf", "\udbff\udfff"], ["f4908080", "\ufffd\ufffd\ufffd\ufffd"],
  ["f5", "\ufffd"], ["f09f98", "\ufffd"], ["f09f", "\ufffd"], ["61f09f62", "a\ufffdb"], ["fe", "\ufffd"],
  ["e0809f", "\ufffd\ufffd\ufffd"], ["efbfbe", "\ufffe"],
], (hex, expected) => {
  eq(new TextDecoder().decode(fromHex(hex)), expected);
  if (expected.includes("\ufffd")) throws(TypeError, () => new TextDecoder("utf-8", { fatal: true }).decode(fromHex(hex)));
  else eq(new TextDecoder("utf-8", { fatal: true }).decode(fromHex(hex)), expected, "fatal");
});

table("decodes utf-16le", [
  ["", ""], ["6100", "a"], ["fffe6100", "a"], ["feff6100", "\ufffea"], ["3dd800de", "\ud83d\ude00"], ["3dd8", "\ufffd"],
  ["00de", "\ufffd"], ["3dd86100", "\ufffda"], ["61", "\ufffd"], ["610062", "a\ufffd"], ["3dd800", "\ufffd"],
  ["00de3dd8", "\ufffd\ufffd"], ["0000", "\u0000"], ["3dd83dd800de", "\ufffd\ud83d\ude00"], ["fffefffe", "\ufeff"],
], (hex, expected) => {
  eq(new TextDecoder("utf-16le").decode(fromHex(hex)), expected);
  if (expected.includes("\ufffd")) throws(TypeError, () => new TextDecoder("utf-16", { fatal: true }).decode(fromHex(hex)));
});

table("decodes utf-16be", [
  ["0061", "a"], ["feff0061", "a"], ["d83dde00", "\ud83d\ude00"], ["d83d", "\ufffd"], ["00", "\ufffd"], ["de000061", "\ufffda"],
], (hex, expected) => eq(new TextDecoder("utf-16be").decode(fromHex(hex)), expected));

test("the byte order mark can be kept", () => {
  const kept = new TextDecoder("utf-8", { ignoreBOM: true });
  eq(kept.decode(fromHex("efbbbf61")), "\ufeffa");
  eq([kept.ignoreBOM, kept.fatal], [true, false]);
  eq(new TextDecoder("utf-16le", { ignoreBOM: true }).decode(fromHex("fffe6100")), "\ufeffa");
  eq(new TextDecoder("utf-8").decode(fromHex("61efbbbf")), "a\ufeff", "only at the start");
});

// Every cut of the bytes gives the same text.
table("in pieces", [
  ["utf-8", "efbbbf61c3a9e282acf09f988062", "a\u00e9\u20ac\ud83d\ude00b"],
  ["utf-8", "e28261f09f61ff", "\ufffda\ufffda\ufffd"],
  ["utf-8", "efbbbfefbbbf", "\ufeff"],
  ["utf-16le", "fffe61003dd800de6200", "a\ud83d\ude00b"],
  ["utf-16le", "3dd861003dd8", "\ufffda\ufffd"],
  ["utf-16be", "feffd83dde00", "\ud83d\ude00"],
], (label, hex, expected) => {
  const data = fromHex(hex);
  const decoder = new TextDecoder(label);
  for (let size = 1; size <= data.length; size++) {
    let text = "";
    for (let at = 0; at < data.length; at += size) text += decoder.decode(data.subarray(at, at + size), { stream: true });
    text += decoder.decode();
    eq(text, expected, `pieces of ${size}`);
  }
});

test("a decoder begins anew after the last piece", () => {
  const decoder = new TextDecoder();
  eq(decoder.decode(fromHex("e282"), { stream: true }), "");
  eq(decoder.decode(), "\ufffd");
  eq(decoder.decode(fromHex("ac")), "\ufffd");
  eq(decoder.decode(fromHex("efbbbf61")), "a");
  const strict = new TextDecoder("utf-8", { fatal: true });
  eq(strict.decode(fromHex("e282"), { stream: true }), "");
  throws(TypeError, () => strict.decode());
  eq(strict.decode(fromHex("61")), "a", "after an error");
  throws(TypeError, () => strict.decode(fromHex("ff"), { stream: true }));
  eq(strict.decode(fromHex("61")), "a", "after an error in the middle");
});

test("what can be decoded", () => {
  const decoder = new TextDecoder();
  const buffer = fromHex("00616263").buffer;
  eq(decoder.decode(buffer), "\u0000abc");
  eq(decoder.decode(new DataView(buffer, 1, 2)), "ab");
  eq(decoder.decode(new Uint16Array(buffer, 2, 1)), "bc");
  eq(decoder.decode(new Uint8ClampedArray(buffer, 1)), "abc");
  eq(decoder.decode(), "");
  eq(decoder.decode(undefined), "");
  for (const wrong of ["a", null, 1, {}, [97]]) throws(TypeError, () => decoder.decode(wrong));
  throws(TypeError, () => new TextDecoder("utf-8", 1));
  throws(TypeError, () => TextDecoder());
  eq(new TextDecoder("utf-8", { fatal: 1 }).fatal, true);
});
