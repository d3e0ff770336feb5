// attack: Looks in the platform's objects, in what their members give and throw, for anything of the runtime's own.
// limit: none
// ends: output {"found":[],"enough":true}
export default async () => {
  const found = [];
  const key = await crypto.subtle.generateKey({ name: "HMAC", hash: "SHA-256" }, true, ["sign"]);
  const roots = [
    new URL("https://a/?b"), new URL("https://a/?b").searchParams, new Headers({ a: "b" }), new Request("https://a"), new Response("x"), new Blob(["x"]),
    new Event("e"), new EventTarget(), new AbortController(), AbortSignal.abort(), new TextEncoder(), new TextDecoder(), new DOMException("m"), key, crypto,
    crypto.subtle, performance, console, r3e, await fetch("https://a.example/"), new URLSearchParams("a=b").entries(), new Headers({ a: "b" }).keys(),
  ];
  const errors = [() => new URL("x"), () => new Headers(1), () => structuredClone(() => {}), () => atob("*"), () => new Request("x"), () => setTimeout(1)];
  for (const run of errors) try { run(); } catch (error) { roots.push(error); }
  const seen = new Set();
  const walk = (value, path) => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null || seen.has(value)) return;
    seen.add(value);
    for (const name of Reflect.ownKeys(value)) {
      const text = String(name);
      if (/bootstrap|internals|primordials|^core$|^ops$|^op_|deno|inside|material/i.test(text)) found.push(`${path}.${text}`);
      const slot = Object.getOwnPropertyDescriptor(value, name);
      walk(slot.value, `${path}.${text}`);
      walk(slot.get, `${path}.${text}`);
      walk(slot.set, `${path}.${text}`);
      if (slot.get !== undefined) try { walk(slot.get.call(roots[0]), path); } catch (error) { walk(error, `${path}.${text}!`); }
    }
    walk(Object.getPrototypeOf(value), `${path}.__proto__`);
  };
  roots.forEach((root, i) => walk(root, String(i)));
  return { found, enough: seen.size > 300 };
};
