// attack: Looks through stack traces for files and folders of the machine.
// limit: none
// ends: output []
export default async () => {
  const found = [];
  const look = (error) => { for (const line of String(error.stack).split("\n")) if (/\/(usr|home|root|tmp|build|cargo|src)\//.test(line)) found.push(line); };
  for (const provoke of [() => new URL("::"), () => atob("%"), () => null.x, () => r3e.secrets.get(""), () => fetch("::"), () => import("fs"), () => new Function("{"), () => JSON.parse("{")]) {
    try { await provoke(); } catch (error) { look(error); }
  }
  return found;
};
