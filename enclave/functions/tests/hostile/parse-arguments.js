// A function with seventy thousand parameters.
export default () => new Function(...Array.from({ length: 70_000 }, (_, i) => `p${i}`), "return p69999 === undefined")();
