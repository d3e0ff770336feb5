// attack: Prints what throws when it is looked at.
// limit: none
// ends: output "printed"
export default () => {
  console.log(new Proxy({}, { get() { throw 1; }, ownKeys() { throw 1; }, getPrototypeOf() { throw 1; } }));
  console.log({ get a() { throw 1; }, toString() { throw 1; }, toJSON() { throw 1; }, [Symbol.toPrimitive]() { throw 1; } });
  console.log(Object.create(null), Symbol("s"), 10n ** 50n, -0, NaN, [, 1], new Date(NaN), /x/g, new Error("e").message);
  const deep = {}; let at = deep; for (let i = 0; i < 10_000; i++) at = at.deep = {};
  console.log(deep, new Array(1e6), new Map([[deep, deep]]), new Set([deep]), function named() {}, class {});
  return "printed";
};
