// The Fetch standard, sections 4.4 and 5.6. The host answers with the request's headers and body, with status 201;
// under /redirect/STATUS?to=ADDRESS with that status and that location; under /status/STATUS with that status.
const BASE = "https://api.example";

test("a response", async () => {
  const response = await fetch(`${BASE}/x?y#z`, { method: "post", headers: { "X-A": "b" }, body: "hello" });
  eq([response.status, response.ok, response.url, response.type, response.redirected], [201, true, `${BASE}/x?y`, "basic", false]);
  eq([response.headers.get("x-method"), response.headers.get("x-a")], ["POST", "b"]);
  eq(response.headers.get("content-type"), "text/plain;charset=UTF-8");
  eq(await response.text(), "hello");
  eq(response.bodyUsed, true);
  throws(TypeError, () => response.headers.set("a", "b"));
});

test("it takes what a request takes", async () => {
  eq((await fetch(new URL(`${BASE}/u`))).url, `${BASE}/u`);
  eq((await fetch({ toString: () => `${BASE}/o` })).url, `${BASE}/o`);
  const request = new Request(`${BASE}/r`, { method: "PUT", body: "x" });
  eq(await (await fetch(request)).text(), "x");
  eq(request.bodyUsed, true);
  await rejects(TypeError, () => fetch(request));
  eq((await fetch(new Request(`${BASE}/r`), { method: "DELETE" })).headers.get("x-method"), "DELETE");
});

test("what makes no request rejects, and throws nothing", async () => {
  for (const [input, init] of [
    [undefined, undefined], ["/relative", undefined], ["https://u:p@h/", undefined], [BASE, { method: "TRACE" }], [BASE, { body: "x" }],
    [BASE, { headers: [["a"]] }], [BASE, { redirect: "x" }], [Symbol("s"), undefined], [BASE, { signal: {} }], [BASE, 1],
  ]) {
    await rejects(TypeError, () => fetch(input, init), show([typeof input === "symbol" ? "symbol" : input, init]));
  }
  await rejects(TypeError, () => fetch());
});

test("a refusal is a TypeError that says why", async () => {
  const error = await rejects(TypeError, () => fetch("https://refused.example/"));
  eq([error.name, error.code, error.cause.name, error.cause.code], ["TypeError", "denied", "HostError", "denied"]);
});

test("a null body status has none", async () => {
  for (const status of [204, 304]) {
    const response = await fetch(`${BASE}/status/${status}`);
    eq([response.status, await response.text(), response.bodyUsed], [status, "", false]);
  }
  eq((await fetch(`${BASE}/status/404`)).ok, false);
});

// Status and method, and the method and body that arrive.
table("a redirect", [
  [[301, "GET"], "GET", null], [[301, "POST"], "GET", ""], [[302, "POST"], "GET", ""], [[302, "PUT"], "PUT", "b"], [[303, "POST"], "GET", ""],
  [[303, "PUT"], "GET", ""], [[303, "HEAD"], "HEAD", null], [[307, "POST"], "POST", "b"], [[308, "PUT"], "PUT", "b"], [[308, "GET"], "GET", null],
], async ([status, method], arrives, text) => {
  const body = method === "GET" || method === "HEAD" ? null : "b";
  const response = await fetch(`${BASE}/redirect/${status}?to=/there`, { method, body, headers: { a: "1" } });
  eq([response.status, response.redirected, response.url], [201, true, `${BASE}/there`]);
  eq([response.headers.get("x-method"), response.headers.get("a")], [arrives, "1"]);
  if (text !== null) eq(await response.text(), text);
  eq(response.headers.has("content-type"), text === "b", "content-type goes with the body");
});

test("a status that is no redirect, or names no place, is an answer", async () => {
  eq((await fetch(`${BASE}/redirect/300?to=/x`)).status, 300);
  eq((await fetch(`${BASE}/redirect/304?to=/x`)).status, 304);
  eq((await fetch(`${BASE}/status/302`)).status, 302);
});

test("what proves who asks stays with the origin", async () => {
  const headers = { authorization: "Bearer x", cookie: "c", "x-own": "1" };
  const same = await fetch(`${BASE}/redirect/302?to=/x`, { headers });
  eq([same.headers.get("authorization"), same.headers.get("x-own")], ["Bearer x", "1"]);
  for (const to of ["https://other.example/x", "https://api.example:8443/x", "http://api.example/x"]) {
    const other = await fetch(`${BASE}/redirect/307?to=${to}`, { headers });
    eq([other.headers.get("authorization"), other.headers.get("cookie"), other.headers.get("x-own")], [null, null, "1"], to);
  }
});

test("redirect: error and manual", async () => {
  await rejects(TypeError, () => fetch(`${BASE}/redirect/302?to=/x`, { redirect: "error" }));
  const response = await fetch(`${BASE}/redirect/302?to=/x`, { redirect: "manual" });
  eq([response.status, response.headers.get("location"), response.redirected], [302, "/x", false]);
});

test("a redirect to nowhere", async () => {
  await rejects(TypeError, () => fetch(`${BASE}/redirect/302?to=https://`));
  await rejects(TypeError, () => fetch(`${BASE}/redirect/302?to=data:,x`));
  await rejects(TypeError, () => fetch(`${BASE}/redirect/302?to=file:///x`));
  await rejects(TypeError, () => fetch(`${BASE}/redirect/302?to=https://refused.example/`));
});

test("twenty redirects, and no more", async () => {
  eq((await fetch(`${BASE}/hops/20`)).status, 201);
  await rejects(TypeError, () => fetch(`${BASE}/hops/21`));
});

test("the fragment goes along", async () => {
  eq((await fetch(`${BASE}/redirect/302?to=/x#old`)).url, `${BASE}/x`);
});

test("abort before, during, after", async () => {
  const reason = new Error("mine");
  ok((await rejects(Error, () => fetch(BASE, { signal: AbortSignal.abort(reason) }))) === reason, "the reason itself");
  await rejects("AbortError", () => fetch(BASE, { signal: AbortSignal.abort() }));
  const controller = new AbortController();
  const pending = fetch(`${BASE}/slow`, { signal: controller.signal });
  controller.abort();
  await rejects("AbortError", () => pending);
  const late = new AbortController();
  const response = await fetch(BASE, { signal: late.signal, method: "POST", body: "x" });
  late.abort();
  eq(await response.text(), "x", "all of it had come");
  await rejects("TimeoutError", () => fetch(`${BASE}/slow`, { signal: AbortSignal.timeout(1) }));
});

test("clones of what was fetched", async () => {
  const response = await fetch(`${BASE}/redirect/302?to=/x`, { method: "PUT", body: "x" });
  const clone = response.clone();
  eq([clone.status, clone.url, clone.redirected, clone.type], [201, `${BASE}/x`, true, "basic"]);
  eq([await clone.text(), await response.text()], ["x", "x"]);
  throws(TypeError, () => clone.headers.set("a", "b"));
});
