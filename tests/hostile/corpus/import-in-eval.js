// attack: Imports from code that is made of text.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  for (const name of ["node:fs", "data:text/javascript,export default 1", "http://169.254.169.254/", "ext:core/ops"]) {
    for (const make of [() => (0, eval)(`import(${JSON.stringify(name)})`), () => new Function("n", "return import(n)")(name)]) {
      try { await make(); found.push(name); } catch {}
    }
  }
  return found;
};
