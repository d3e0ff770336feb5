// attack: Replaces what the host's errors are told by, and has a call refused.
// limit: none
// ends: output "HostError"
export default async () => {
  Object.defineProperty(Error.prototype, "message", { get() { throw new Error("mine now"); }, set() { throw new Error("mine now"); } });
  Object.setPrototypeOf(Error, null);
  try { await r3e.tee.getAttestation("x"); } catch (error) { return error.name; }
};
