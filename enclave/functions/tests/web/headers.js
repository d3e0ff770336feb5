// The Fetch standard, sections 2.2.2 and 5.1.
const pairs = (headers) => [...headers];

test("what they are made of", () => {
  eq(pairs(new Headers()), []);
  eq(pairs(new Headers(undefined)), []);
  eq(pairs(new Headers({ B: "1", a: 2 })), [["a", "2"], ["b", "1"]]);
  eq(pairs(new Headers([["x", "1"], ["X", "2"]])), [["x", "1, 2"]]);
  eq(pairs(new Headers(new Headers({ a: "1" }))), [["a", "1"]]);
  eq(pairs(new Headers(new Map([["k", "v"]]))), [["k", "v"]]);
  eq(pairs(new Headers({ a: undefined })), [["a", "undefined"]]);
  eq(pairs(new Headers({ "a": ["1", "2"] })), [["a", "1,2"]]);
  throws(TypeError, () => new Headers(null));
  throws(TypeError, () => new Headers(1));
  throws(TypeError, () => new Headers("a: b"));
  throws(TypeError, () => new Headers([["a"]]));
  throws(TypeError, () => new Headers([["a", "b", "c"]]));
  throws(TypeError, () => new Headers(["ab", 1]));
  throws(TypeError, () => new Headers({ [Symbol("s")]: "x" }));
  throws(TypeError, () => Headers());
});

table("a name that is none", [[""], [" "], ["a b"], ["a:"], ["a\n"], ["\u0000"], ["(a)"], ["a/b"], ["\u00e9"], ["\u0100"], ["a,b"], ["\"a\""], ["{a}"]], (name) => {
  const headers = new Headers();
  throws(TypeError, () => headers.append(name, "v"));
  throws(TypeError, () => headers.set(name, "v"));
  throws(TypeError, () => headers.get(name));
  throws(TypeError, () => headers.has(name));
  throws(TypeError, () => headers.delete(name));
  throws(TypeError, () => new Headers([[name, "v"]]));
});

table("a name", [["a"], ["A-B"], ["!#$%&'*+-.^_`|~0"], ["x_y"]], (name) => {
  const headers = new Headers([[name, "v"]]);
  eq(headers.get(name.toUpperCase()), "v");
  eq([...headers.keys()], [name.toLowerCase()]);
});

table("a value that is none", [["a\u0000b"], ["a\nb"], ["a\rb"], ["\u0100"], ["\ud800"], ["a\r\nb: c"]], (value) => {
  throws(TypeError, () => new Headers([["a", value]]));
  throws(TypeError, () => new Headers().append("a", value));
  throws(TypeError, () => new Headers().set("a", value));
});

table("a value is trimmed", [
  ["  x  ", "x"], ["\t\r\n x y \n", "x y"], ["", ""], [" ", ""], ["\u000bx", "\u000bx"], ["\u00a0x", "\u00a0x"], ["\u00e9", "\u00e9"],
  ["x\ty", "x\ty"],
], (value, expected) => eq(new Headers([["a", value]]).get("a"), expected));

test("append, set, get, has, delete", () => {
  const headers = new Headers();
  eq(headers.append("A", "1"), undefined);
  headers.append("a", "2");
  headers.append("b", "");
  eq(headers.get("A"), "1, 2");
  eq(headers.get("b"), "");
  eq(headers.get("c"), null);
  eq([headers.has("B"), headers.has("c")], [true, false]);
  headers.set("a", "3");
  eq(headers.get("a"), "3");
  headers.set("d", 4);
  eq(headers.get("d"), "4");
  headers.delete("A");
  eq(headers.has("a"), false);
  headers.delete("nothing");
  for (const call of [() => headers.append("a"), () => headers.set("a"), () => headers.get(), () => headers.has(), () => headers.delete()]) {
    throws(TypeError, call);
  }
  throws(TypeError, () => Headers.prototype.get.call({}, "a"));
});

test("sorted and combined when walked", () => {
  const headers = new Headers([["c", "1"], ["a", "2"], ["b", "3"], ["a", "4"]]);
  eq(pairs(headers), [["a", "2, 4"], ["b", "3"], ["c", "1"]]);
  eq([...headers.keys()], ["a", "b", "c"]);
  eq([...headers.values()], ["2, 4", "3", "1"]);
  ok(headers[Symbol.iterator] === headers.entries, "entries is the iterator");
  eq(Object.prototype.toString.call(headers.keys()), "[object Headers Iterator]");
  const seen = [];
  headers.forEach(function (value, name, owner) {
    seen.push([name, value, owner === headers, this === seen]);
  }, seen);
  eq(seen[0], ["a", "2, 4", true, true]);
});

test("walked as they are now", () => {
  const headers = new Headers({ a: "1", b: "2", c: "3" });
  const seen = [];
  for (const [name] of headers) {
    seen.push(name);
    if (name === "a") headers.delete("b");
  }
  eq(seen, ["a", "c"]);
});

test("cookies are not combined", () => {
  const headers = new Headers([["Set-Cookie", "a=1"], ["x", "y"], ["set-cookie", "b=2, c"], ["Set-Cookie", "a=1"]]);
  eq(headers.getSetCookie(), ["a=1", "b=2, c", "a=1"]);
  eq(headers.get("set-cookie"), "a=1, b=2, c, a=1");
  eq(pairs(headers), [["set-cookie", "a=1"], ["set-cookie", "b=2, c"], ["set-cookie", "a=1"], ["x", "y"]]);
  headers.set("set-cookie", "z");
  eq(headers.getSetCookie(), ["z"]);
  headers.delete("set-cookie");
  eq(headers.getSetCookie(), []);
});

test("the class", () => {
  eq(Object.prototype.toString.call(new Headers()), "[object Headers]");
  eq(Headers.length, 0);
  ok(Object.getOwnPropertyDescriptor(Headers.prototype, "append").enumerable, "enumerable");
});
