// Throws a symbol.
export default () => { throw Symbol("thrown"); };
