// attack: Replaces the functions of numbers and of mathematics, and starts timers.
// limit: none
// ends: output "s3cret"
export default async () => {
  globalThis.Number = globalThis.Math = globalThis.isNaN = () => { throw new Error("mine now"); };
  await new Promise((resolve) => setTimeout(resolve, "1"));
  return r3e.secrets.get("name");
};
