// A function with seventy thousand locals.
export default () => new Function("var " + Array.from({ length: 70_000 }, (_, i) => `v${i}`).join(",") + "; return v69999 === undefined")();
