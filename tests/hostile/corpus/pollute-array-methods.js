// attack: Has the methods of arrays steal and throw, and makes host calls.
// limit: none
// ends: output "s3cret"
export default async () => {
  const stolen = [];
  for (const name of ["push", "map", "slice", "join", "forEach", "concat", "indexOf", "shift", "pop"]) {
    Array.prototype[name] = function () { stolen[stolen.length] = this; throw new Error("mine now"); };
  }
  console.log("a", ["b"], { c: 1 });
  await fetch("https://venue.example/", { method: "POST", headers: { a: "b" }, body: "x" });
  return r3e.secrets.get("name");
};
