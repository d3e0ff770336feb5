// attack: Leaves a polluted prototype for the next event.
// limit: none
// ends: output [null,"s3cret"]
// again: same
export default async () => {
  const found = {}.left ?? null;
  Object.prototype.left = "mine";
  return [found, await r3e.secrets.get("n")];
};
