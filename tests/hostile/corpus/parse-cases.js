// attack: A switch with a hundred thousand cases.
// limit: none
// ends: output 99999
export default () => new Function("x", "switch (x) {" + Array.from({ length: 100_000 }, (_, i) => `case ${i}: return ${i};`).join("") + "}")(99_999);
