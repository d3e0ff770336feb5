// attack: Maps an array whose species never comes.
// limit: cpu
// ends: cpu_limit
export default () => {
  class Endless extends Array { static get [Symbol.species]() { for (;;); } }
  return new Endless(1).map((x) => x);
};
