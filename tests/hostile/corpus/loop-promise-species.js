// attack: Chains a promise whose constructor never comes.
// limit: cpu
// ends: cpu_limit
export default async () => {
  const promise = Promise.resolve(1);
  Object.defineProperty(promise, "constructor", { get() { for (;;); } });
  return promise.then(() => 2);
};
