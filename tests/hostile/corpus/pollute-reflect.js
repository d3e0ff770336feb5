// attack: Replaces Reflect, Object and Proxy, and makes host calls.
// limit: none
// ends: output "s3cret"
export default async () => {
  for (const holder of [Reflect, Object]) {
    for (const key of Object.getOwnPropertyNames(holder)) {
      try { if (typeof holder[key] === "function" && key !== "getOwnPropertyNames") holder[key] = () => { throw new Error("mine now"); }; } catch {}
    }
  }
  globalThis.Proxy = globalThis.Object = globalThis.Reflect = undefined;
  try { console.log({ a: [1] }); } catch {}
  return r3e.secrets.get("name");
};
