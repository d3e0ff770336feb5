// The File API, section 3, without streams.
table("parts", [
  [["a", "b"], "ab"], [[], ""], [["\u20ac\ud800"], "\u20ac\ufffd"], [[new Uint8Array([97, 98]).subarray(1)], "b"], [[new Uint8Array([97]).buffer], "a"],
  [[new DataView(new Uint8Array([97, 98]).buffer, 1)], "b"], [[new Blob(["x"]), "y"], "xy"], [[1, null, undefined], "1nullundefined"],
  [new Set(["s"]), "s"], [new Uint8Array([1, 22]), "122"], [["a\r\nb"], "a\r\nb"],
], async (parts, text) => {
  const blob = new Blob(parts);
  eq(await blob.text(), text);
  eq([blob.size, blob.type], [utf8(text).length, ""]);
  eq((await blob.arrayBuffer()).byteLength, blob.size);
});

test("nothing, and what is none", () => {
  eq([new Blob().size, new Blob(undefined, null).type, Blob.length], [0, "", 0]);
  for (const wrong of [1, "a", null, {}, true]) throws(TypeError, () => new Blob(wrong));
  throws(TypeError, () => new Blob([], 1));
  throws(TypeError, () => new Blob([], { endings: "x" }));
  throws(TypeError, () => Blob());
  throws(TypeError, () => new Blob([Symbol("s")]));
});

table("a type", [["text/Plain", "text/plain"], ["", ""], ["a\u0000", ""], ["\u00e9", ""], ["a b;c=\"D\"", "a b;c=\"d\""], [null, "null"], [undefined, ""], ["a\tb", ""]],
  (type, expected) => eq(new Blob([], { type }).type, expected));

test("endings", async () => {
  eq(await new Blob(["a\r\nb\rc\nd"], { endings: "native" }).text(), "a\nb\nc\nd");
  eq(await new Blob([utf8("a\r\n")], { endings: "native" }).text(), "a\r\n", "of text alone");
});

table("slice", [
  [[], "abcdef"], [[1], "bcdef"], [[1, 3], "bc"], [[-2], "ef"], [[-4, -2], "cd"], [[3, 1], ""], [[9], ""], [[0, 99], "abcdef"], [[-99, 2], "ab"],
  [[undefined, 2], "ab"], [[1.7, 3.2], "bc"], [[NaN, 1], "a"], [[2, null], ""],
], async (range, expected) => eq(await new Blob(["abcdef"], { type: "a/b" }).slice(...range).text(), expected));

test("a slice has its own type", () => {
  eq(new Blob(["a"], { type: "a/b" }).slice(0, 1).type, "");
  eq(new Blob(["a"]).slice(0, 1, "X/Y").type, "x/y");
});

test("its bytes stay", async () => {
  const source = new Uint8Array([97]);
  const blob = new Blob([source]);
  source[0] = 98;
  (await blob.bytes())[0] = 99;
  new Uint8Array(await blob.arrayBuffer())[0] = 99;
  eq(await blob.text(), "a");
  eq(Object.prototype.toString.call(blob), "[object Blob]");
});
