// attack: Throws before its default export has a value.
// limit: none
// ends: load_error/thrown
export { handler as default };
throw new Error("before");
const handler = () => 1;
