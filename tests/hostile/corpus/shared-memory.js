// attack: Looks for memory that two threads could share.
// limit: none
// ends: output []
export default () => {
  const found = [];
  if (typeof SharedArrayBuffer !== "undefined" || typeof Atomics !== "undefined") found.push("named");
  for (const maker of [ArrayBuffer, Uint8Array, DataView]) {
    for (let p = maker.prototype; p; p = Object.getPrototypeOf(p)) {
      if (p[Symbol.toStringTag] === "SharedArrayBuffer") found.push("prototype");
    }
  }
  return found;
};
