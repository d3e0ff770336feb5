// The URL standard: parsing (section 4.4), serialising (4.5), the class (6.1).
const PARTS = ["href", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"];

// Address, base, and what it becomes; `null` where it does not parse.
table("parses", [
  ["http://example.com", undefined, "http://example.com/"],
  ["HTTP://EXAMPLE.COM/Path", undefined, "http://example.com/Path"],
  ["http://example.com:80/", undefined, "http://example.com/"],
  ["https://example.com:443/", undefined, "https://example.com/"],
  ["http://example.com:443/", undefined, "http://example.com:443/"],
  ["ws://example.com:80", undefined, "ws://example.com/"],
  ["wss://example.com:443", undefined, "wss://example.com/"],
  ["ftp://example.com:21/x", undefined, "ftp://example.com/x"],
  ["http://example.com:00080/", undefined, "http://example.com/"],
  ["http://example.com:", undefined, "http://example.com/"],
  ["http://example.com:0/", undefined, "http://example.com:0/"],
  ["http://example.com:65535/", undefined, "http://example.com:65535/"],
  ["http://example.com:65536/", undefined, null],
  ["http://example.com:8x/", undefined, null],
  ["http://example.com:-1/", undefined, null],
  ["  http://example.com/  ", undefined, "http://example.com/"],
  ["\u0000\u001f http://example.com/ \u0000", undefined, "http://example.com/"],
  ["ht\ntp://exa\tmple.com/a\rb", undefined, "http://example.com/ab"],
  ["http:\\\\example.com\\a\\b", undefined, "http://example.com/a/b"],
  ["http:example.com/a", undefined, "http://example.com/a"],
  ["http:/example.com/a", undefined, "http://example.com/a"],
  ["http:////example.com/a", undefined, "http://example.com/a"],
  ["http://user:pass@example.com/", undefined, "http://user:pass@example.com/"],
  ["http://user@example.com/", undefined, "http://user@example.com/"],
  ["http://:pass@example.com/", undefined, "http://:pass@example.com/"],
  ["http://@example.com/", undefined, "http://example.com/"],
  ["http://a:b@c:d@example.com/", undefined, "http://a:b%40c%3Ad@example.com/"],
  ["http://a@b@example.com/", undefined, "http://a%40b@example.com/"],
  ["http://us er:p|ss@example.com/", undefined, "http://us%20er:p%7Css@example.com/"],
  ["http://example.com/a b", undefined, "http://example.com/a%20b"],
  ["http://example.com/\u00e9", undefined, "http://example.com/%C3%A9"],
  ["http://example.com/%7Ea%zz%", undefined, "http://example.com/%7Ea%zz%"],
  ["http://example.com/\"<>`{}", undefined, "http://example.com/%22%3C%3E%60%7B%7D"],
  ["http://example.com/a|b[c]^", undefined, "http://example.com/a|b[c]%5E"],
  ["http://example.com/?q=a b\"<>'", undefined, "http://example.com/?q=a%20b%22%3C%3E%27"],
  ["foo://example.com/?q='", undefined, "foo://example.com/?q='"],
  ["http://example.com/#a b\"<>`", undefined, "http://example.com/#a%20b%22%3C%3E%60"],
  ["http://example.com/?a?b#c#d", undefined, "http://example.com/?a?b#c#d"],
  ["http://example.com?", undefined, "http://example.com/?"],
  ["http://example.com#", undefined, "http://example.com/#"],
  ["http://example.com/a/./b/../c", undefined, "http://example.com/a/c"],
  ["http://example.com/a/%2e/b/%2E%2e/c", undefined, "http://example.com/a/c"],
  ["http://example.com/../../a", undefined, "http://example.com/a"],
  ["http://example.com/a/..", undefined, "http://example.com/"],
  ["http://example.com/a/.", undefined, "http://example.com/a/"],
  ["http://example.com//a//b/", undefined, "http://example.com//a//b/"],
  ["http://example.com/a/...", undefined, "http://example.com/a/..."],
  ["http://127.0.0.1/", undefined, "http://127.0.0.1/"],
  ["http://127.1/", undefined, "http://127.0.0.1/"],
  ["http://0x7f.0.0.1/", undefined, "http://127.0.0.1/"],
  ["http://0177.0.0.01/", undefined, "http://127.0.0.1/"],
  ["http://2130706433/", undefined, "http://127.0.0.1/"],
  ["http://0x7f000001/", undefined, "http://127.0.0.1/"],
  ["http://127.0.0.1./", undefined, "http://127.0.0.1/"],
  ["http://256.0.0.1/", undefined, null],
  ["http://4294967296/", undefined, null],
  ["http://1.2.3.4.5/", undefined, null],
  ["http://1.2.3.0x/", undefined, "http://1.2.3.0/"],
  ["http://a.1.2.3.4.5x/", undefined, "http://a.1.2.3.4.5x/"],
  ["http://foo.0x4/", undefined, null],
  ["http://foo.09/", undefined, null],
  ["http://\uff11\uff12\uff17.0.0.1/", undefined, "http://127.0.0.1/"],
  ["http://[::1]/", undefined, "http://[::1]/"],
  ["http://[0:0:0:0:0:0:0:1]:80/", undefined, "http://[::1]/"],
  ["http://[2001:DB8::ABCD]/", undefined, "http://[2001:db8::abcd]/"],
  ["http://[1:0:0:2:0:0:0:3]/", undefined, "http://[1:0:0:2::3]/"],
  ["http://[::ffff:1.2.3.4]/", undefined, "http://[::ffff:102:304]/"],
  ["http://[::1.2.3]/", undefined, null],
  ["http://[::1.2.3.256]/", undefined, null],
  ["http://[1::2::3]/", undefined, null],
  ["http://[1:2:3]/", undefined, null],
  ["http://[::1%eth0]/", undefined, null],
  ["http://[::1/", undefined, null],
  ["http://::1]/", undefined, null],
  ["http://b\u00fccher.example/", undefined, "http://xn--bcher-kva.example/"],
  ["http://B\u00dcCHER.example/", undefined, "http://xn--bcher-kva.example/"],
  ["http://fa\u00df.example/", undefined, "http://xn--fa-hia.example/"],
  ["http://a\u00adb.example/", undefined, "http://ab.example/"],
  ["http://ex\u3002ample/", undefined, "http://ex.ample/"],
  ["http://xn--a/", undefined, null],
  ["http://%65xample.com/", undefined, "http://example.com/"],
  ["http://ex%00ample/", undefined, null],
  ["http://ex ample/", undefined, null],
  ["http://ex%20ample/", undefined, null],
  ["http://a<b/", undefined, null],
  ["http://a^b/", undefined, null],
  ["http://a|b/", undefined, null],
  ["http://a_b~c!$&'()*+,;=/", undefined, "http://a_b~c!$&'()*+,;=/"],
  ["http:///", undefined, null],
  ["http://", undefined, null],
  ["http://?", undefined, null],
  ["http://user@/", undefined, null],
  ["https://example.com/\ud800", undefined, "https://example.com/%EF%BF%BD"],
  ["file:///etc/passwd", undefined, "file:///etc/passwd"],
  ["file://localhost/etc", undefined, "file:///etc"],
  ["file:c:\\a\\b", undefined, "file:///c:/a/b"],
  ["file:///C|/a/..", undefined, "file:///C:/"],
  ["file:///C:/../..", undefined, "file:///C:/"],
  ["file://host/a", undefined, "file://host/a"],
  ["file:", undefined, "file:///"],
  ["mailto:someone@example.com", undefined, "mailto:someone@example.com"],
  ["data:text/plain,a b", undefined, "data:text/plain,a b"],
  ["javascript:alert(1)", undefined, "javascript:alert(1)"],
  ["urn:a:b#c", undefined, "urn:a:b#c"],
  ["foo:/a/../b", undefined, "foo:/b"],
  ["foo:/.//p", undefined, "foo:/.//p"],
  ["foo://Host/a/../b", undefined, "foo://Host/b"],
  ["foo://h%41st/", undefined, "foo://h%41st/"],
  ["foo://h st/", undefined, null],
  ["foo://\u00e9/", undefined, "foo://%C3%A9/"],
  ["foo://host:80x", undefined, null],
  ["foo:///a", undefined, "foo:///a"],
  ["foo://", undefined, "foo://"],
  ["a1+-.:b", undefined, "a1+-.:b"],
  ["1a:b", undefined, null],
  ["", undefined, null],
  ["/a", undefined, null],
  ["//example.com", undefined, null],
  ["blob:https://example.com/id", undefined, "blob:https://example.com/id"],
  ["", "http://example.com/a/b?c#d", "http://example.com/a/b?c"],
  ["#e", "http://example.com/a/b?c#d", "http://example.com/a/b?c#e"],
  ["?e", "http://example.com/a/b?c#d", "http://example.com/a/b?e"],
  ["e", "http://example.com/a/b?c#d", "http://example.com/a/e"],
  ["./e", "http://example.com/a/b", "http://example.com/a/e"],
  ["../e", "http://example.com/a/b/c", "http://example.com/a/e"],
  ["../../../e", "http://example.com/a/b", "http://example.com/e"],
  ["/e", "http://example.com/a/b", "http://example.com/e"],
  ["//other/e", "https://example.com/a", "https://other/e"],
  ["\\\\other\\e", "https://example.com/a", "https://other/e"],
  ["https:e", "https://example.com/a/b", "https://example.com/a/e"],
  ["http:e", "https://example.com/a/b", "http://e/"],
  ["http://other/", "nonsense", null],
  ["e", "mailto:x", null],
  ["#e", "mailto:x", "mailto:x#e"],
  ["e", "data:text,x", null],
  ["e", "foo://h/a/b", "foo://h/a/e"],
  ["/..", "file:///C:/a", "file:///C:/"],
  ["//h/b", "file:///C:/a", "file://h/b"],
  ["..", "http://example.com/a/b/", "http://example.com/a/"],
  [" e ", "http://example.com/", "http://example.com/e"],
], (address, base, expected) => {
  if (expected === null) {
    throws(TypeError, () => new URL(address, base));
    eq(URL.canParse(address, base), false, "canParse");
    eq(URL.parse(address, base), null, "parse");
  } else {
    const url = new URL(address, base);
    eq(url.href, expected, "href");
    eq(URL.canParse(address, base), true, "canParse");
    eq(URL.parse(address, base).href, expected, "parse");
    eq(new URL(url.href).href, expected, "again");
  }
});

test("the parts of an address", () => {
  const url = new URL("https://us:pw@host.example:8443/a/b?c=d#e");
  eq(PARTS.map((part) => url[part]), [
    "https://us:pw@host.example:8443/a/b?c=d#e", "https:", "us", "pw", "host.example:8443", "host.example", "8443", "/a/b",
    "?c=d", "#e",
  ]);
  const bare = new URL("https://h/?#");
  eq([bare.search, bare.hash, bare.href], ["", "", "https://h/?#"], "empty query and fragment");
});

table("origin", [
  ["https://example.com:8443/a", "https://example.com:8443"],
  ["http://EXAMPLE.com:80", "http://example.com"],
  ["ftp://h/", "ftp://h"],
  ["ws://h/", "ws://h"],
  ["file:///a", "null"],
  ["mailto:x", "null"],
  ["foo://h/", "null"],
  ["data:,x", "null"],
  ["blob:https://example.com/x", "https://example.com"],
  ["blob:foo:x", "null"],
], (address, expected) => eq(new URL(address).origin, expected));

// Address, part, new value, and what the address becomes: section 6.1's setters.
table("setter", [
  [["https://example.com/", "protocol", "http"], "http://example.com/"],
  [["https://example.com/", "protocol", "HTTP:x"], "http://example.com/"],
  [["https://example.com/", "protocol", "foo"], "https://example.com/"],
  [["foo://h/", "protocol", "https"], "foo://h/"],
  [["foo://h/", "protocol", "bar+1"], "bar+1://h/"],
  [["https://example.com/", "protocol", "1x"], "https://example.com/"],
  [["https://example.com/", "protocol", ""], "https://example.com/"],
  [["https://example.com:443/", "protocol", "http"], "http://example.com/"],
  [["http://example.com:443/", "protocol", "https"], "https://example.com/"],
  [["file:///a", "protocol", "http"], "file:///a"],
  [["https://u@h/", "protocol", "file"], "https://u@h/"],
  [["https://h/", "username", "me"], "https://me@h/"],
  [["https://h/", "username", "a:b@c/\u00e9"], "https://a%3Ab%40c%2F%C3%A9@h/"],
  [["https://me:p@h/", "username", ""], "https://:p@h/"],
  [["mailto:x", "username", "me"], "mailto:x"],
  [["file:///a", "username", "me"], "file:///a"],
  [["https://h/", "password", "x y"], "https://:x%20y@h/"],
  [["https://me:p@h/", "password", ""], "https://me@h/"],
  [["javascript:a", "password", "p"], "javascript:a"],
  [["https://h/", "host", "x.example:81"], "https://x.example:81/"],
  [["https://h:8080/", "host", "x"], "https://x:8080/"],
  [["https://h:8080/", "host", "x:"], "https://x:8080/"],
  [["https://h/", "host", "x:443"], "https://x/"],
  [["https://h/", "host", "x/y"], "https://x/"],
  [["https://h/", "host", "a b"], "https://h/"],
  [["https://h/", "host", ""], "https://h/"],
  [["https://h/", "host", "[::1]:8"], "https://[::1]:8/"],
  [["mailto:x", "host", "h"], "mailto:x"],
  [["foo://h/", "host", ""], "foo:///"],
  [["https://h:1/", "hostname", "x"], "https://x:1/"],
  [["https://h:1/", "hostname", "x:2"], "https://h:1/"],
  [["https://h/", "hostname", "127.1"], "https://127.0.0.1/"],
  [["https://h/", "hostname", "a<b"], "https://h/"],
  [["https://h/", "port", "8080"], "https://h:8080/"],
  [["https://h:1/", "port", ""], "https://h/"],
  [["https://h:1/", "port", "443"], "https://h/"],
  [["https://h/", "port", "80x9"], "https://h:80/"],
  [["https://h:1/", "port", "65536"], "https://h:1/"],
  [["https://h:1/", "port", "x"], "https://h:1/"],
  [["https://h:1/", "port", "-1"], "https://h:1/"],
  [["file:///a", "port", "1"], "file:///a"],
  [["https://h/a", "pathname", "b/../c d"], "https://h/c%20d"],
  [["https://h/a", "pathname", "\\x"], "https://h/x"],
  [["https://h/a", "pathname", "?#"], "https://h/%3F%23"],
  [["https://h/a", "pathname", ""], "https://h/"],
  [["foo://h/a", "pathname", ""], "foo://h"],
  [["mailto:x", "pathname", "y"], "mailto:x"],
  [["https://h/?a", "search", "b c"], "https://h/?b%20c"],
  [["https://h/?a", "search", "?b"], "https://h/?b"],
  [["https://h/?a", "search", "??b"], "https://h/??b"],
  [["https://h/?a#f", "search", ""], "https://h/#f"],
  [["https://h/", "search", "a#b'"], "https://h/?a%23b%27"],
  [["https://h/#a", "hash", "b c"], "https://h/#b%20c"],
  [["https://h/#a", "hash", "#b"], "https://h/#b"],
  [["https://h/#a", "hash", ""], "https://h/"],
  [["https://h/", "hash", "a\u0000b"], "https://h/#a%00b"],
  [["https://h/", "href", "http://x:80/y"], "http://x/y"],
], ([address, part, value], expected) => {
  const url = new URL(address);
  url[part] = value;
  eq(url.href, expected);
});

test("an href that does not parse changes nothing", () => {
  const url = new URL("https://h/a");
  throws(TypeError, () => (url.href = "nonsense"));
  eq(url.href, "https://h/a");
  throws(TypeError, () => { "use strict"; url.origin = "x"; });
});

test("the query and its parameters are one", () => {
  const url = new URL("https://h/?a=1&b=2");
  const params = url.searchParams;
  ok(params === url.searchParams, "the same object");
  params.append("c", "x y&");
  eq(url.href, "https://h/?a=1&b=2&c=x+y%26");
  params.delete("a");
  params.set("b", "\u00e9");
  eq(url.search, "?b=%C3%A9&c=x+y%26");
  url.search = "?z=9";
  eq([...params], [["z", "9"]]);
  params.delete("z");
  eq(url.href, "https://h/");
  url.href = "https://h/?q=1";
  eq(params.get("q"), "1");
  params.sort();
  eq(url.search, "?q=1");
});

test("the class", () => {
  eq(String(new URL("https://h")), "https://h/");
  eq(JSON.stringify([new URL("https://h")]), '["https://h/"]');
  eq(Object.prototype.toString.call(new URL("https://h")), "[object URL]");
  throws(TypeError, () => URL("https://h"));
  throws(TypeError, () => new URL());
  throws(TypeError, () => new URL(Symbol("s")));
  throws(TypeError, () => Object.getOwnPropertyDescriptor(URL.prototype, "href").get.call({}));
  eq(URL.length, 1);
  const shown = [];
  for (const key in new URL("https://h")) shown.push(key);
  ok(PARTS.every((part) => shown.includes(part)) && shown.includes("toJSON"), "members are enumerable");
  eq(new URL(new URL("https://h/a"), "x:y").href, "https://h/a");
  eq(new URL({ toString: () => "https://h/t" }).href, "https://h/t");
});
