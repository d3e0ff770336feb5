// attack: Puts setters and values under the names that the prelude uses.
// limit: none
// ends: output "s3cret"
export default async () => {
  const names = ["err", "ok", "call_id", "op", "value", "name", "kind", "get", "set", "code", "callback", "resolve", "repeat"];
  for (const name of names) {
    Object.defineProperty(Object.prototype, name, {
      __proto__: null, configurable: true, get: () => "polluted", set() { throw new Error("mine now"); },
    });
  }
  const secret = await r3e.secrets.get("name");
  await new Promise((resolve) => setTimeout(resolve, 1));
  return secret;
};
