// attack: Replaces the errors that the prelude throws.
// limit: none
// ends: output "a secret's name must be a non-empty string"
export default async () => {
  Error.prototype.name = "Polluted";
  Error.captureStackTrace = () => { throw 1; };
  Error.stackTraceLimit = 1e9;
  globalThis.TypeError = globalThis.Error = class { constructor() { throw new RangeError("mine now"); } };
  try {
    await r3e.secrets.get("");
  } catch (error) {
    return error.message;
  }
};
