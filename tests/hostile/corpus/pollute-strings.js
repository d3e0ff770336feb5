// attack: Replaces the methods of texts and expressions, and fetches.
// limit: none
// ends: output "s3cret"
export default async () => {
  const hostile = () => { throw new Error("mine now"); };
  for (const name of ["split", "replace", "slice", "toLowerCase", "toUpperCase", "trim", "charCodeAt", "startsWith"]) String.prototype[name] = hostile;
  for (const key of ["exec", "test", Symbol.replace, Symbol.split, Symbol.match]) RegExp.prototype[key] = hostile;
  await fetch("https://venue.example/path?query", { method: "post", headers: { "X-Mixed": " value " } });
  return r3e.secrets.get("name");
};
