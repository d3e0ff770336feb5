// attack: Prints objects that loop when they are looked at.
// limit: cpu
// ends: cpu_limit
// ends: output "printed"
export default () => {
  console.log(new Proxy({}, { ownKeys() { for (;;); }, get() { for (;;); }, getPrototypeOf() { for (;;); } }));
  console.log({ get a() { for (;;); }, toString() { for (;;); }, toJSON() { for (;;); } });
  return "printed";
};
