// HTML, section 2.7.
table("a primitive", [[undefined], [null], [true], [0], [-0], [NaN], [Infinity], ["text"], ["\ud800"], [""], [12345678901234567890n]],
  (value) => ok(Object.is(structuredClone(value), value), "the same"));

// An object, and what its clone must be like.
table("a boxed primitive", [[new Boolean(false)], [new Number(-0)], [new String("a\u0000")], [Object(5n)]], (value) => {
  const clone = structuredClone(value);
  ok(clone !== value && Object.is(clone.valueOf(), value.valueOf()) && clone.constructor === value.constructor, "alike");
});

test("dates", () => {
  for (const time of [0, -1, 1e12, 8.64e15, NaN]) {
    const clone = structuredClone(new Date(time));
    ok(clone instanceof Date && Object.is(clone.getTime(), time), String(time));
  }
});

test("regular expressions", () => {
  const source = /a\/(b)+/giu;
  source.lastIndex = 5;
  source.own = 1;
  const clone = structuredClone(source);
  eq([clone.source, clone.flags, clone.lastIndex, clone.own], [source.source, "giu", 0, undefined]);
});

test("arrays", () => {
  const source = [1, , "x", [2]];
  source.own = { a: 1 };
  source.length = 10;
  const clone = structuredClone(source);
  ok(Array.isArray(clone) && Object.getPrototypeOf(clone) === Array.prototype, "an array");
  eq([clone.length, 1 in clone, clone[2], clone[3][0], clone.own.a], [10, false, "x", 2, 1]);
  eq(structuredClone([]).length, 0);
});

test("objects", () => {
  class Own {
    constructor() { this.a = 1; }
    method() {}
  }
  const clone = structuredClone(new Own());
  ok(Object.getPrototypeOf(clone) === Object.prototype, "a plain one");
  eq(Object.keys(clone), ["a"]);
  const source = Object.defineProperty({ b: 1, get a() { return "got"; }, [Symbol("s")]: 1 }, "hidden", { value: 1, enumerable: false });
  eq(Reflect.ownKeys(structuredClone(source)), ["b", "a"]);
  const got = Object.getOwnPropertyDescriptor(structuredClone(source), "a");
  eq([got.value, got.writable, got.enumerable, got.configurable], ["got", true, true, true]);
  const bare = Object.create(null);
  bare.x = 1;
  eq(Object.getPrototypeOf(structuredClone(bare)) === Object.prototype, true);
  eq(Object.keys(structuredClone({ 2: 1, 1: 1, b: 1, a: 1 })), ["1", "2", "b", "a"]);
  const named = JSON.parse('{"__proto__": {"x": 1}}');
  const copy = structuredClone(named);
  ok(Object.hasOwn(copy, "__proto__") && copy.x === undefined && Object.getPrototypeOf(copy) === Object.prototype, "__proto__ is a name");
});

test("maps and sets", () => {
  const key = {};
  const clone = structuredClone(new Map([[key, "k"], ["s", new Set([key, 1, NaN])]]));
  ok(clone instanceof Map && clone.size === 2, "a map");
  const [made] = clone.keys();
  ok(made !== key && clone.get("s").has(made) && clone.get("s").has(NaN), "keys keep their identity");
  eq([...structuredClone(new Set(["b", "a"]))], ["b", "a"]);
  const map = new Map();
  map.set(map, new Set([map]));
  const round = structuredClone(map);
  ok(round.get(round).has(round), "around");
});

test("cycles and identity", () => {
  const source = { list: [] };
  source.self = source;
  source.list.push(source, source.list);
  const clone = structuredClone(source);
  ok(clone !== source && clone.self === clone && clone.list[0] === clone && clone.list[1] === clone.list, "around");
  const shared = { x: 1 };
  const pair = structuredClone([shared, shared]);
  ok(pair[0] === pair[1] && pair[0] !== shared, "shared");
});

table("an error", [[new Error("m")], [new EvalError("m")], [new RangeError("m")], [new ReferenceError("m")], [new SyntaxError("m")], [new TypeError("m")], [new URIError("m")]], (error) => {
  error.own = 1;
  const clone = structuredClone(error);
  ok(clone instanceof Error && Object.getPrototypeOf(clone) === Object.getPrototypeOf(error), "its class");
  eq([clone.message, clone.name, clone.own], ["m", error.name, undefined]);
  eq(clone.stack, error.stack);
});

test("errors of another kind", () => {
  class Own extends RangeError {}
  const own = new Own("m");
  own.name = "Own";
  eq(structuredClone(own).name, "Error");
  const named = new Error("m");
  named.name = "TypeError";
  ok(structuredClone(named) instanceof TypeError, "by its name");
  const bare = new Error();
  eq(Object.hasOwn(structuredClone(bare), "message"), false);
  const strange = new Error("m");
  Object.defineProperty(strange, "message", { get: () => "got" });
  eq(Object.hasOwn(structuredClone(strange), "message"), false, "a getter is no message");
  const number = new Error();
  number.message = 5;
  eq(structuredClone(number).message, "5");
  const dom = structuredClone(new DOMException("m", "DataError"));
  eq([dom instanceof DOMException, dom.name, dom.message], [true, "DataError", "m"]);
});

const VIEWS = [
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array, Float64Array, BigInt64Array, BigUint64Array,
];
table("a view", VIEWS.map((View) => [View]), (View) => {
  const source = new View(new ArrayBuffer(32), 8, 2);
  source[0] = View.name.startsWith("Big") ? 5n : 5;
  const clone = structuredClone(source);
  ok(clone instanceof View && clone.buffer !== source.buffer, "its class");
  eq([clone.length, clone.byteOffset, clone.buffer.byteLength, Number(clone[0])], [2, 8, 32, 5]);
});

test("buffers", () => {
  const buffer = new Uint8Array([1, 2, 3]).buffer;
  const clone = structuredClone({ buffer, all: new Uint8Array(buffer), part: new DataView(buffer, 1, 1) });
  ok(clone.all.buffer === clone.buffer && clone.part.buffer === clone.buffer && clone.buffer !== buffer, "views share it");
  eq([clone.part.getUint8(0), clone.part.byteLength, [...clone.all]], [2, 1, [1, 2, 3]]);
  const growing = structuredClone(new ArrayBuffer(2, { maxByteLength: 8 }));
  eq([growing.byteLength, growing.resizable, growing.maxByteLength], [2, true, 8]);
});

test("a view that follows its buffer's length", () => {
  const clone = structuredClone(new Uint8Array(new ArrayBuffer(2, { maxByteLength: 8 })));
  clone.buffer.resize(4);
  eq(clone.length, 4);
});

test("transfer", () => {
  const buffer = new Uint8Array([1, 2]).buffer;
  const view = new Uint8Array(buffer);
  const clone = structuredClone({ view, buffer }, { transfer: [buffer] });
  eq([buffer.byteLength, view.length, clone.buffer.byteLength, [...clone.view]], [0, 0, 2, [1, 2]]);
  ok(clone.view.buffer === clone.buffer, "one buffer");
  const unused = new ArrayBuffer(4);
  structuredClone(1, { transfer: [unused] });
  eq(unused.byteLength, 0, "moved though nobody asked for it");
  const resizable = new ArrayBuffer(2, { maxByteLength: 4 });
  eq(structuredClone(resizable, { transfer: [resizable] }).maxByteLength, 4);
});

test("a transfer that cannot be", () => {
  const buffer = new ArrayBuffer(2);
  throws("DataCloneError", () => structuredClone(1, { transfer: [buffer, buffer] }));
  throws("DataCloneError", () => structuredClone(1, { transfer: [{}] }));
  throws("DataCloneError", () => structuredClone(1, { transfer: [new Uint8Array(2)] }));
  throws("DataCloneError", () => structuredClone([buffer, () => {}], { transfer: [buffer] }));
  eq(buffer.byteLength, 2, "nothing was moved");
  structuredClone(buffer, { transfer: [buffer] });
  throws("DataCloneError", () => structuredClone(buffer));
  throws("DataCloneError", () => structuredClone(1, { transfer: [buffer] }));
  throws(TypeError, () => structuredClone(1, { transfer: 1 }));
  throws(TypeError, () => structuredClone(1, { transfer: {} }));
  throws(TypeError, () => structuredClone(1, 1));
  throws(TypeError, () => structuredClone());
});

table("what cannot be cloned", [
  [() => {}], [class {}], [Symbol("s")], [Object(Symbol("s"))], [new WeakMap()], [new WeakSet()], [new WeakRef({})], [Promise.resolve()],
  [(function* () {})()], [new Map().keys()], [new Set().values()], [new Proxy({}, {})], [new Proxy([], {})], [new URL("https://a")],
  [new URLSearchParams()], [new Headers()], [new Request("https://a")], [new Response()], [new Event("x")], [new EventTarget()],
  [new AbortController()], [AbortSignal.abort()], [new TextEncoder()], [new TextDecoder()], [crypto], [crypto.subtle], [performance],
], (value) => {
  eq(throws("DataCloneError", () => structuredClone(value)).code, 25);
  throws("DataCloneError", () => structuredClone([{ deep: value }]));
});

test("what can be cloned, of the platform's", async () => {
  const blob = structuredClone(new Blob(["x"], { type: "a/b" }));
  eq([blob instanceof Blob, blob.type, await blob.text()], [true, "a/b", "x"]);
  const key = await crypto.subtle.importKey("raw", bytes(1, 2), { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const clone = structuredClone({ key }).key;
  ok(clone instanceof CryptoKey && clone !== key, "a key");
  eq([clone.type, clone.extractable, clone.algorithm, clone.usages], ["secret", false, key.algorithm, ["sign"]]);
  eq(toHex(await crypto.subtle.sign("HMAC", clone, bytes(3))), toHex(await crypto.subtle.sign("HMAC", key, bytes(3))));
});

test("what a getter throws is thrown", () => {
  const own = new Error("own");
  let seen;
  try {
    structuredClone({ get a() { throw own; } });
  } catch (error) {
    seen = error;
  }
  ok(seen === own, "the same");
});

test("getters run once, in order", () => {
  const order = [];
  structuredClone({ get b() { order.push("b"); return 1; }, get a() { order.push("a"); delete this.c; return 1; }, c: 1 });
  eq(order, ["b", "a"]);
});

test("what was taken away meanwhile", () => {
  const source = { get a() { delete this.b; return 1; }, b: 2, c: 3 };
  eq(structuredClone(source), { a: 1, c: 3 });
});
