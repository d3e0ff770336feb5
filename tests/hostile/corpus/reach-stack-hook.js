// attack: Hooks stack traces to see frames that are not its own.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  const look = (_error, sites) => {
    for (const site of sites) {
      for (const method of ["getThis", "getFunction", "getEvalOrigin"]) {
        try {
          const value = site[method]();
          if (value !== undefined && value !== null && value !== globalThis) found.push(method);
        } catch {}
      }
    }
    return "hooked";
  };
  for (const target of [Error, TypeError, RangeError, Error.prototype, Object.prototype]) {
    try { target.prepareStackTrace = look; } catch {}
  }
  for (const provoke of [() => new URL("::"), () => atob("%"), () => new Headers([["a b", ""]]), () => setTimeout(1)]) {
    try { provoke(); } catch (error) { if (error.stack === "hooked") found.push("hooked"); }
  }
  try { await r3e.secrets.get(""); } catch (error) { if (error.stack === "hooked") found.push("hooked"); }
  return found;
};
