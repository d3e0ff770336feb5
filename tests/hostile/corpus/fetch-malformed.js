// attack: Fetches with arguments of every wrong kind.
// limit: none
// ends: output []
export default async () => {
  const results = [];
  const attempts = [
    () => fetch(), () => fetch("::"), () => fetch("/relative"), () => fetch("https://a.b", { method: "GET", body: "x" }),
    () => fetch("https://a.b", { headers: { "a\nb": "c" } }), () => fetch("https://a.b", { headers: { a: "b\r\nc: d" } }),
    () => fetch("https://a.b", { headers: [["one"]] }), () => fetch(Symbol("s")), () => fetch("https://a.b", { signal: {} }),
    () => fetch({ toString() { throw 1; } }),
  ];
  for (const attempt of attempts) {
    try { await attempt(); results.push(String(attempt)); } catch {}
  }
  return results;
};
