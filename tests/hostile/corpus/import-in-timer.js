// attack: Imports from a timer and from a microtask.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  const attempt = (name) => import(name).then(() => found.push(name), () => {});
  await new Promise((resolve) => setTimeout(() => attempt("node:fs").then(resolve), 0));
  await new Promise((resolve) => queueMicrotask(() => attempt("file:///proc/self/environ").then(resolve)));
  return found;
};
