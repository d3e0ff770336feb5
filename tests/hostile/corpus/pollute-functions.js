// attack: Takes call, apply and bind from all functions, and makes host calls.
// limit: none
// ends: output "s3cret"
export default async () => {
  for (const name of ["call", "apply", "bind", "toString"]) Function.prototype[name] = () => { throw new Error("mine now"); };
  console.log(() => 1, class {});
  await r3e.store.set("k", { a: 1 });
  return r3e.secrets.get("name");
};
