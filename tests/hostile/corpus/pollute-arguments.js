// attack: Reads the reply of a call through setters on the array's numbers.
// limit: none
// ends: output "s3cret"
export default async () => {
  for (const key of [0, 1, 2]) {
    Object.defineProperty(Object.prototype, key, { configurable: true, get: () => "polluted", set() { throw new Error("mine now"); } });
  }
  console.log("a", "b");
  return r3e.secrets.get("name");
};
