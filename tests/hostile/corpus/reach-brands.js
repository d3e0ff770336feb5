// attack: Calls the host's methods on what is not theirs.
// limit: none
// ends: output []
export default async () => {
  const passed = [];
  const others = [{}, null, undefined, 1, Object.create(URL.prototype), new Proxy(new URL("https://a.b"), {}), new Proxy(new Headers(), {})];
  const uses = {
    href: (x) => Object.getOwnPropertyDescriptor(URL.prototype, "href").get.call(x),
    append: (x) => Headers.prototype.append.call(x, "a", "b"),
    text: (x) => Response.prototype.text.call(x),
    decode: (x) => TextDecoder.prototype.decode.call(x, new Uint8Array(1)),
  };
  for (const [name, use] of Object.entries(uses)) {
    for (let i = 0; i < others.length; i++) { try { await use(others[i]); passed.push(`${name} ${i}`); } catch {} }
  }
  return passed;
};
