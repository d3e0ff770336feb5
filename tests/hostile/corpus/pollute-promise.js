// attack: Replaces what promises are made of, then uses them.
// limit: none
// ends: function_error/thrown
export default async (event) => {
  const native = Promise.prototype.then;
  Promise.prototype.then = function () { throw new Error("mine now"); };
  Promise.prototype.catch = Promise.prototype.finally = Promise.prototype.then;
  Promise.resolve = Promise.reject = Promise.all = () => { throw new Error("mine now"); };
  Object.defineProperty(Promise, Symbol.species, { get() { throw new Error("mine now"); } });
  const secret = await r3e.secrets.get("name");
  Promise.prototype.then = native;
  return secret;
};
