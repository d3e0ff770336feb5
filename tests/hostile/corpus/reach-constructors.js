// attack: Looks for another global object through constructors.
// limit: none
// ends: output []
export default () => {
  const kinds = [
    function () {}, async function () {}, function* () {}, async function* () {}, fetch, crypto.randomUUID,
    r3e.secrets.get, console.log, setTimeout, URL, Headers, Response, queueMicrotask, Map.prototype.set,
  ];
  const found = [];
  for (const kind of kinds) {
    for (const maker of [kind.constructor, kind.constructor.constructor]) {
      for (const name of ["Deno", "__bootstrap", "internals", "primordials"]) {
        try {
          const made = maker(`return typeof ${name}`)();
          if (typeof made === "string" && made !== "undefined") found.push(name);
        } catch {}
      }
    }
  }
  return found;
};
