// The URL standard, sections 5 (application/x-www-form-urlencoded) and 6.2.
const pairs = (params) => [...params];

table("parses", [
  ["", []],
  ["?", []],
  ["a=b", [["a", "b"]]],
  ["?a=b", [["a", "b"]]],
  ["??a=b", [["?a", "b"]]],
  ["a", [["a", ""]]],
  ["=b", [["", "b"]]],
  ["=", [["", ""]]],
  ["&", []],
  ["&&a=b&&", [["a", "b"]]],
  ["a=b=c", [["a", "b=c"]]],
  ["a=b&a=c", [["a", "b"], ["a", "c"]]],
  ["a+b=c+d", [["a b", "c d"]]],
  ["a%20b=c%2Bd", [["a b", "c+d"]]],
  ["%61=%zz%", [["a", "%zz%"]]],
  ["a=%E2%82%AC", [["a", "\u20ac"]]],
  ["a=%FF", [["a", "\ufffd"]]],
  ["a=%EF%BB%BFb", [["a", "\ufeffb"]]],
  ["a=\u20ac", [["a", "\u20ac"]]],
  ["a\u0000b=c", [["a\u0000b", "c"]]],
  ["#a=b", [["#a", "b"]]],
  ["a=b#c", [["a", "b#c"]]],
  ["a;b=c", [["a;b", "c"]]],
  ["\ud800=\udfff", [["\ufffd", "\ufffd"]]],
], (text, expected) => eq(pairs(new URLSearchParams(text)), expected));

table("writes", [
  [[["a", "b c"]], "a=b+c"],
  [[["a", "b+c"]], "a=b%2Bc"],
  [[["", ""]], "="],
  [[["a", ""]], "a="],
  [[["a", "*-._"]], "a=*-._"],
  [[["a", "~!'()"]], "a=%7E%21%27%28%29"],
  [[["a&b", "c=d"]], "a%26b=c%3Dd"],
  [[["a", "\u20ac\ud83d\ude00"]], "a=%E2%82%AC%F0%9F%98%80"],
  [[["a", "\ud800"]], "a=%EF%BF%BD"],
  [[["a", "\u0000\n\r"]], "a=%00%0A%0D"],
  [[["a", "%41"]], "a=%2541"],
  [[], ""],
  [[["a", "1"], ["b", "2"], ["a", "3"]], "a=1&b=2&a=3"],
], (list, expected) => {
  const params = new URLSearchParams(list);
  eq(params.toString(), expected);
  eq(pairs(new URLSearchParams(expected)), list.map((pair) => pair.map((item) => item.toWellFormed())), "back");
});

test("what it is made of", () => {
  eq(pairs(new URLSearchParams()), []);
  eq(pairs(new URLSearchParams(undefined)), []);
  eq(pairs(new URLSearchParams(null)), [["null", ""]]);
  eq(pairs(new URLSearchParams(5)), [["5", ""]]);
  eq(pairs(new URLSearchParams({ b: 1, a: "x" })), [["b", "1"], ["a", "x"]]);
  eq(pairs(new URLSearchParams(new URLSearchParams("a=1"))), [["a", "1"]]);
  eq(pairs(new URLSearchParams(new Map([["k", 1]]))), [["k", "1"]]);
  eq(pairs(new URLSearchParams([new Set(["x", "y"])])), [["x", "y"]]);
  eq(pairs(new URLSearchParams("ab")), [["ab", ""]]);
  eq(pairs(new URLSearchParams({ a: { toString: () => "t" } })), [["a", "t"]]);
  const hidden = Object.defineProperty({ a: 1 }, "b", { value: 2, enumerable: false });
  eq(pairs(new URLSearchParams(hidden)), [["a", "1"]]);
  throws(TypeError, () => new URLSearchParams([["a"]]));
  throws(TypeError, () => new URLSearchParams([["a", "b", "c"]]));
  throws(TypeError, () => new URLSearchParams([1]));
  throws(TypeError, () => new URLSearchParams(Symbol("s")));
  throws(TypeError, () => new URLSearchParams({ [Symbol("s")]: "x" }));
  throws(TypeError, () => new URLSearchParams({ a: Symbol("s") }));
  throws(TypeError, () => URLSearchParams("a"));
  eq(URLSearchParams.length, 0);
});

test("an iterator of its own is used", () => {
  const params = new URLSearchParams("a=1");
  params[Symbol.iterator] = function* () {
    yield ["b", "2"];
  };
  eq(new URLSearchParams(params).toString(), "b=2");
});

test("get, getAll, has, size", () => {
  const params = new URLSearchParams("a=1&b=2&a=3&c=");
  eq(params.get("a"), "1");
  eq(params.get("c"), "");
  eq(params.get("d"), null);
  eq(params.getAll("a"), ["1", "3"]);
  eq(params.getAll("d"), []);
  eq(params.has("a"), true);
  eq(params.has("a", "3"), true);
  eq(params.has("a", "2"), false);
  eq(params.has("a", undefined), true);
  eq(params.has("d"), false);
  eq(params.size, 4);
  throws(TypeError, () => params.get());
  throws(TypeError, () => params.has());
  throws(TypeError, () => params.append("a"));
  throws(TypeError, () => params.set("a"));
  throws(TypeError, () => URLSearchParams.prototype.get.call({}, "a"));
});

test("append, set, delete", () => {
  const params = new URLSearchParams("a=1&b=2&a=3");
  params.append("a", 4);
  eq(params.toString(), "a=1&b=2&a=3&a=4");
  params.set("a", "x");
  eq(params.toString(), "a=x&b=2");
  params.set("z", null);
  eq(params.toString(), "a=x&b=2&z=null");
  params.append("b", "5");
  params.delete("b", "2");
  eq(params.toString(), "a=x&z=null&b=5");
  params.delete("b", undefined);
  eq(params.toString(), "a=x&z=null");
  params.delete("nothing");
  eq(params.append("q", "r"), undefined);
});

table("sorts by code units, and is stable", [
  ["z=b&a=b&z=a&a=a", "a=b&a=a&z=b&z=a"],
  ["\ufffd=x&\ud83d\ude00=y", "\ud83d\ude00=y&\ufffd=x"],
  ["\ufb03&\ud83c\udf08", "\ud83c\udf08=&\ufb03="],
  ["e\ufffd&e%CC%81&\u00e9", "e\u0301=&e\ufffd=&\u00e9="],
  ["z=z&a=a&b&bbb&bb&aa=x", "a=a&aa=x&b=&bb=&bbb=&z=z"],
], (before, after) => {
  const params = new URLSearchParams(before);
  params.sort();
  eq(params.toString(), new URLSearchParams(after).toString());
});

test("it is walked as it is now", () => {
  const params = new URLSearchParams("a=1&b=2&c=3");
  const seen = [];
  for (const [key] of params) {
    seen.push(key);
    if (key === "a") params.delete("b");
  }
  eq(seen, ["a", "c"]);
  eq([...params.keys()], ["a", "c"]);
  eq([...params.values()], ["1", "3"]);
  eq([...params.entries()], [["a", "1"], ["c", "3"]]);
  ok(params[Symbol.iterator] === params.entries, "entries is the iterator");
  const iterator = params.entries();
  eq(Object.prototype.toString.call(iterator), "[object URLSearchParams Iterator]");
  ok(iterator[Symbol.iterator]() === iterator, "it is its own iterator");
  params.append("d", "4");
  eq([...iterator].length, 3);
  eq(iterator.next(), { value: undefined, done: true });
});

test("forEach", () => {
  const params = new URLSearchParams("a=1&b=2");
  const seen = [];
  const self = {};
  params.forEach(function (value, key, owner) {
    seen.push([value, key, owner === params, this === self]);
  }, self);
  eq(seen, [["1", "a", true, true], ["2", "b", true, true]]);
  throws(TypeError, () => params.forEach());
  throws(TypeError, () => params.forEach(1));
});
