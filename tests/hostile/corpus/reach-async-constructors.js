// attack: Makes functions by the constructors that have no name, and looks for more in their scope.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  for (const like of [async function () {}, function* () {}, async function* () {}]) {
    const make = Object.getPrototypeOf(like).constructor;
    for (const name of ["Deno", "__bootstrap", "core", "ops", "require", "process", "WebAssembly", "SharedArrayBuffer"]) {
      try {
        let made = make(`return typeof ${name}`)();
        if (made.next) made = (await made.next()).value;
        if ((await made) !== "undefined") found.push(name);
      } catch {}
    }
  }
  return found;
};
