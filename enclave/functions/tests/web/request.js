// The Fetch standard, section 5.3, and what bodies are made of (5.2).
const URL1 = "https://example.com/a?b#c";

test("what stands when nothing is said", () => {
  const request = new Request(URL1);
  eq([request.method, request.url], ["GET", "https://example.com/a?b#c"]);
  eq([request.redirect, request.mode, request.credentials, request.cache], ["follow", "cors", "same-origin", "default"]);
  eq([request.integrity, request.keepalive, request.referrer, request.referrerPolicy, request.destination], ["", false, "about:client", "", ""]);
  eq([request.bodyUsed, request.duplex, [...request.headers].length], [false, "half", 0]);
  ok(request.signal instanceof AbortSignal && !request.signal.aborted, "a signal");
  ok(request.headers === request.headers && request.signal === request.signal, "the same objects");
  eq(Object.prototype.toString.call(request), "[object Request]");
  eq(Request.length, 1);
});

table("an address that is none", [["/relative"], [""], ["::"], ["https://"], ["https://u:p@example.com/"], ["https://u@example.com/"], ["https://:p@h/"]],
  (url) => throws(TypeError, () => new Request(url)));

table("a method", [
  ["get", "GET"], ["Post", "POST"], ["put", "PUT"], ["delete", "DELETE"], ["head", "HEAD"], ["options", "OPTIONS"], ["patch", "patch"],
  ["PATCH", "PATCH"], ["Chicken", "Chicken"], ["GETS", "GETS"], [null, "null"],
], (method, expected) => eq(new Request(URL1, { method }).method, expected));

table("a method that is none", [["CONNECT"], ["trace"], ["Track"], [""], ["G T"], ["GET\n"], ["\u00e9"], ["\u0100"], ["A,B"]],
  (method) => throws(TypeError, () => new Request(URL1, { method })));

table("an option that is none", [
  [{ redirect: "x" }], [{ mode: "x" }], [{ mode: "navigate" }], [{ credentials: "x" }], [{ cache: "x" }], [{ referrerPolicy: "x" }],
  [{ signal: {} }], [{ signal: "x" }], [{ window: "x" }], [{ headers: "x" }], [{ headers: [["a"]] }],
], (options) => throws(TypeError, () => new Request(URL1, options)));

table("an option", [
  [{ redirect: "manual" }], [{ redirect: "error" }], [{ mode: "no-cors" }], [{ credentials: "include" }], [{ cache: "no-store" }],
  [{ referrerPolicy: "no-referrer" }], [{ keepalive: true }],
], (options) => {
  const [[name, value]] = Object.entries(options);
  eq(new Request(URL1, options)[name], value);
  eq(new Request(new Request(URL1, options))[name], value, "inherited");
});

test("null is no signal, and no window", () => {
  ok(!new Request(URL1, { signal: null, window: null }).signal.aborted, "not aborted");
});

// A body, its text, and the content type that it implies.
table("a body", [
  ["text", "text", "text/plain;charset=UTF-8"],
  ["\ud800", "\ufffd", "text/plain;charset=UTF-8"],
  [5, "5", "text/plain;charset=UTF-8"],
  [new Uint8Array([97, 98]), "ab", null],
  [new Uint8Array([97, 98, 99]).subarray(1), "bc", null],
  [new Uint8Array([97]).buffer, "a", null],
  [new DataView(new Uint8Array([97, 98]).buffer, 1), "b", null],
  [new URLSearchParams("a=b c"), "a=b+c", "application/x-www-form-urlencoded;charset=UTF-8"],
  [new Blob(["x"], { type: "text/x" }), "x", "text/x"],
  [new Blob(["x"]), "x", null],
  [{ toString: () => "own" }, "own", "text/plain;charset=UTF-8"],
], async (body, text, type) => {
  const request = new Request(URL1, { method: "POST", body });
  eq(request.headers.get("content-type"), type);
  eq(await request.text(), text);
  eq(request.bodyUsed, true);
  const typed = new Request(URL1, { method: "POST", body, headers: { "Content-Type": "mine" } });
  eq(typed.headers.get("content-type"), "mine");
  const response = new Response(body);
  eq(response.headers.get("content-type"), type);
  eq(await response.text(), text);
});

test("a GET has no body", () => {
  throws(TypeError, () => new Request(URL1, { body: "x" }));
  throws(TypeError, () => new Request(URL1, { method: "HEAD", body: "" }));
  eq(new Request(URL1, { body: null }).method, "GET");
  eq(new Request(URL1, { body: undefined }).method, "GET");
  const post = new Request(URL1, { method: "POST", body: "x" });
  throws(TypeError, () => new Request(post, { method: "GET" }));
});

test("a body is read once", async () => {
  const request = new Request(URL1, { method: "POST", body: "{}" });
  eq(await request.json(), {});
  await rejects(TypeError, () => request.text());
  await rejects(TypeError, () => request.json());
  throws(TypeError, () => request.clone());
  throws(TypeError, () => new Request(request));
  const none = new Request(URL1);
  eq(await none.text(), "");
  eq(none.bodyUsed, false, "there is none to use");
  eq(await none.text(), "");
});

test("every way to read one", async () => {
  const make = () => new Request(URL1, { method: "POST", body: "{\"a\":1}", headers: { "content-type": "Text/JSON" } });
  eq(await make().json(), { a: 1 });
  eq((await make().arrayBuffer()).byteLength, 7);
  ok((await make().bytes()) instanceof Uint8Array, "bytes");
  const blob = await make().blob();
  eq([blob.size, blob.type], [7, "text/json"]);
  await rejects(SyntaxError, () => new Request(URL1, { method: "POST", body: "{" }).json());
  eq(await new Request(URL1, { method: "POST", body: new Uint8Array([0xef, 0xbb, 0xbf, 0x31]) }).json(), 1, "without its mark");
  await rejects(TypeError, () => Request.prototype.text.call({}));
});

test("what was given stays apart", async () => {
  const data = new Uint8Array([97]);
  const request = new Request(URL1, { method: "POST", body: data });
  data[0] = 98;
  eq(await request.text(), "a");
});

test("a request of a request", async () => {
  const first = new Request(URL1, { method: "POST", body: "x", headers: { a: "1" } });
  const second = new Request(first, { headers: { b: "2" } });
  eq([second.method, [...second.headers], first.bodyUsed, second.bodyUsed], ["POST", [["b", "2"]], true, false].map((v, i) => i === 1 ? [["b", "2"], ["content-type", "text/plain;charset=UTF-8"]].slice(0, [...second.headers].length) : v));
  eq(await second.text(), "x");
  const third = new Request(new Request(URL1, { headers: { a: "1" } }));
  eq([...third.headers], [["a", "1"]]);
  const bodied = new Request(new Request(URL1, { method: "POST", body: "x" }), { body: "y" });
  eq(await bodied.text(), "y");
});

test("a clone", async () => {
  const request = new Request(URL1, { method: "PUT", body: "x", headers: { a: "1" }, redirect: "manual" });
  const clone = request.clone();
  ok(clone !== request && clone.headers !== request.headers, "another");
  eq([clone.method, clone.url, clone.redirect, clone.headers.get("a")], ["PUT", request.url, "manual", "1"]);
  request.headers.set("a", "2");
  eq(clone.headers.get("a"), "1");
  eq(await request.text(), "x");
  eq([clone.bodyUsed, await clone.text()], [false, "x"]);
});

test("its signal follows", () => {
  const controller = new AbortController();
  const request = new Request(URL1, { signal: controller.signal });
  const clone = request.clone();
  const again = new Request(request);
  ok(request.signal !== controller.signal, "a signal of its own");
  const reason = new Error("why");
  controller.abort(reason);
  for (const signal of [request.signal, clone.signal, again.signal]) {
    eq(signal.aborted, true);
    ok(signal.reason === reason, "the same reason");
  }
  ok(new Request(URL1, { signal: AbortSignal.abort(reason) }).signal.reason === reason, "aborted before");
});
