// attack: Looks up the call stack by the old properties.
// limit: none
// ends: output []
export default function () {
  const found = [];
  for (const name of ["caller", "arguments", "callee"]) {
    try { if (fetch[name] != null) found.push(name); } catch {}
  }
  const sloppy = new Function("return [sloppy.caller, arguments.callee === undefined]".replace("sloppy", "this"));
  try { if (sloppy()[0] != null) found.push("this.caller"); } catch {}
  return found;
}
