// attack: Looks for the embedder's hooks on promises and errors.
// limit: none
// ends: output []
export default () => {
  const found = [];
  for (const object of [Promise, Promise.prototype, Error, Symbol, Function.prototype, JSON, Reflect]) {
    for (const key of Reflect.ownKeys(object)) {
      if (/deno|internal|hook|embedder|prepareStackTrace/i.test(String(key)) && object[key] !== undefined) found.push(String(key));
    }
  }
  return found;
};
