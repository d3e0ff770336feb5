// attack: Prints an object that prints itself when it is looked at.
// limit: none
// ends: output "printed"
export default () => {
  let depth = 0;
  const o = { get a() { if (depth++ < 5000) console.log(o); return 1; }, toString() { console.log(o); return ""; } };
  try { console.log(o); } catch {}
  return "printed";
};
