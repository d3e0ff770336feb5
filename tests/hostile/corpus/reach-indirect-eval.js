// attack: Looks for other names through indirect eval and the functions' own this.
// limit: none
// ends: output []
export default () => {
  const found = [];
  for (const scope of [(0, eval)("this"), new Function("return this")(), (0, eval)("globalThis"), function () { return this; }.call(undefined)]) {
    for (const name of ["Deno", "__bootstrap", "process", "require", "module", "exports", "internals"]) {
      if (scope !== undefined && name in scope) found.push(name);
    }
  }
  return found;
};
