// attack: Looks for objects of the host inside the errors that it throws.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  for (const provoke of [() => r3e.store.set("k", () => 1), () => r3e.tee.getAttestation("x"), () => fetch("::"), () => new Headers([["a b", "c"]])]) {
    try { await provoke(); } catch (error) {
      for (const key of Reflect.ownKeys(error)) {
        const value = error[key];
        if ((typeof value === "object" && value !== null) || typeof value === "function") found.push(String(key));
      }
      if (!(error instanceof Error)) found.push("not an Error of this realm");
    }
  }
  return found;
};
