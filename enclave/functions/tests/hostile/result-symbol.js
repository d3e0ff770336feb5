// Returns a symbol.
export default () => Symbol("s");
