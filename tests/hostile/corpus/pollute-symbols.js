// attack: Gives all objects the symbols by which the language asks them.
// limit: none
// ends: output "s3cret"
export default async () => {
  const hostile = () => { throw new Error("mine now"); };
  for (const symbol of [Symbol.toPrimitive, Symbol.toStringTag, Symbol.isConcatSpreadable, Symbol.unscopables, Symbol.match, Symbol.hasInstance]) {
    try { Object.defineProperty(Object.prototype, symbol, { configurable: true, get: hostile, set() {} }); } catch {}
  }
  return r3e.secrets.get("name");
};
