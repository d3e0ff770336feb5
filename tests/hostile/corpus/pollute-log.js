// attack: Replaces console, and what it prints with.
// limit: none
// ends: output "s3cret"
export default async () => {
  const { log } = console;
  console.log = console.error = () => { throw new Error("mine now"); };
  Date.prototype.toISOString = Error.prototype.toString = Symbol.prototype.toString = () => { throw new Error("mine now"); };
  log(new Date(0), new Error("x"), Symbol("s"), [new Map([[1, 2]])]);
  return r3e.secrets.get("name");
};
