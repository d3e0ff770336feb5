// attack: Replaces iteration itself.
// limit: none
// ends: output "s3cret"
export default async () => {
  Array.prototype[Symbol.iterator] = function* () { yield "polluted"; };
  Object.getPrototypeOf([][Symbol.iterator]()).next = () => ({ done: true });
  console.log("a", "b");
  await new Promise((resolve) => setTimeout(resolve, 1, "x", "y"));
  return r3e.secrets.get("name");
};
