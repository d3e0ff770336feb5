// A switch with a hundred thousand cases.
export default () => new Function("x", "switch (x) {" + Array.from({ length: 100_000 }, (_, i) => `case ${i}: return ${i};`).join("") + "}")(99_999);
