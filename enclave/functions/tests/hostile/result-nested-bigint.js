// Returns a BigInt inside an object.
export default () => ({ a: [1n] });
