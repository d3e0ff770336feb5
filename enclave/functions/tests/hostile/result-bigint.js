// Returns a BigInt.
export default () => 1n;
