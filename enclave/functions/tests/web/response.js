// The Fetch standard, section 5.5.
test("what stands when nothing is said", async () => {
  const response = new Response();
  eq([response.status, response.statusText, response.ok, response.type, response.url, response.redirected], [200, "", true, "default", "", false]);
  eq([response.bodyUsed, [...response.headers].length, await response.text()], [false, 0, ""]);
  eq(Object.prototype.toString.call(response), "[object Response]");
  eq(Response.length, 0);
});

table("a status", [[200, true], [299, true], [300, false], [404, false], [599, false], [204, true], ["201", true], [65736, true]], (status, fine) => {
  const response = new Response(null, { status });
  eq([response.status, response.ok], [Number(status) % 65536, fine]);
});

table("a status that is none", [[199], [600], [0], [100], [101], [-1], [NaN], ["x"], [1000]], (status) => {
  throws(RangeError, () => new Response(null, { status }));
});

table("a status without a body", [[204], [205], [304]], (status) => {
  throws(TypeError, () => new Response("x", { status }));
  throws(TypeError, () => new Response("", { status }));
  throws(TypeError, () => new Response(new Uint8Array(0), { status }));
  eq(new Response(null, { status }).status, status);
  eq(new Response(undefined, { status }).status, status);
});

table("a status text", [["OK"], [""], ["a b\tc"], ["\u00e9"]], (statusText) => eq(new Response(null, { statusText }).statusText, statusText));
table("a status text that is none", [["\n"], ["a\r"], ["\u0000"], ["\u0100"], ["\u007f"]], (statusText) => {
  throws(TypeError, () => new Response(null, { statusText }));
});

test("its headers", () => {
  const response = new Response("x", { headers: { A: "1", "content-type": "mine" } });
  eq([...response.headers], [["a", "1"], ["content-type", "mine"]]);
  response.headers.append("b", "2");
  eq(response.headers.get("b"), "2");
  ok(response.headers === response.headers, "the same object");
  throws(TypeError, () => new Response("x", { headers: [["a"]] }));
  throws(TypeError, () => new Response("x", 1));
});

test("the body is read once", async () => {
  const response = new Response("{\"a\":[1]}");
  eq(await response.json(), { a: [1] });
  eq(response.bodyUsed, true);
  for (const method of ["text", "json", "arrayBuffer", "bytes", "blob"]) await rejects(TypeError, () => response[method]());
  throws(TypeError, () => response.clone());
  eq((await new Response(new Uint8Array([1, 2])).bytes()).length, 2);
  eq((await new Response("ab").arrayBuffer()).byteLength, 2);
  const blob = await new Response("ab", { headers: { "content-type": "a/b" } }).blob();
  eq([blob.size, blob.type, await blob.text()], [2, "a/b", "ab"]);
  eq(await new Response("\ufeffx").text(), "x", "without its mark");
  await rejects(SyntaxError, () => new Response("").json());
});

test("a clone", async () => {
  const response = new Response("x", { status: 201, statusText: "Made", headers: { a: "1" } });
  const clone = response.clone();
  eq([clone.status, clone.statusText, clone.headers.get("a"), clone.type], [201, "Made", "1", "default"]);
  clone.headers.set("a", "2");
  eq(response.headers.get("a"), "1");
  eq([await response.text(), await clone.text()], ["x", "x"]);
});

test("Response.json", async () => {
  const response = Response.json({ a: 1 });
  eq([response.status, response.headers.get("content-type"), await response.text()], [200, "application/json", '{"a":1}']);
  const typed = Response.json([1], { status: 400, statusText: "No", headers: { "content-type": "mine", x: "y" } });
  eq([typed.status, typed.statusText, typed.headers.get("content-type"), typed.headers.get("x")], [400, "No", "mine", "y"]);
  throws(TypeError, () => Response.json());
  throws(TypeError, () => Response.json(undefined));
  throws(TypeError, () => Response.json(() => 1));
  throws(TypeError, () => Response.json(Symbol("s")));
  throws(TypeError, () => Response.json(1n));
  throws(TypeError, () => Response.json(1, { status: 204 }));
  throws(RangeError, () => Response.json(1, { status: 99 }));
  eq(await Response.json(null).text(), "null");
  eq(await Response.json("\ud800").text(), '"\\ud800"');
  const own = throws(Error, () => Response.json({ toJSON() { throw new Error("own"); } }));
  eq(own.message, "own");
});

test("Response.redirect", () => {
  const response = Response.redirect("https://example.com/a b#c");
  eq([response.status, response.headers.get("location"), response.type], [302, "https://example.com/a%20b#c", "default"]);
  for (const status of [301, 302, 303, 307, 308]) eq(Response.redirect("https://a/", status).status, status);
  for (const status of [200, 300, 304, 309, 400, 0]) throws(RangeError, () => Response.redirect("https://a/", status));
  throws(TypeError, () => Response.redirect("/relative"));
  throws(TypeError, () => Response.redirect());
  throws(TypeError, () => response.headers.set("a", "b"));
});

test("Response.error", async () => {
  const response = Response.error();
  eq([response.status, response.type, response.ok, response.statusText, await response.text()], [0, "error", false, "", ""]);
  throws(TypeError, () => response.headers.append("a", "b"));
});
