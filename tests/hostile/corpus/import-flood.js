// attack: Imports ten thousand names at once.
// limit: none
// ends: output "refused"
// ends: memory_limit
export default async () => {
  const all = await Promise.allSettled(Array.from({ length: 10_000 }, (_, i) => import(`./m${i}.js`)));
  return all.every((one) => one.status === "rejected") ? "refused" : "found";
};
