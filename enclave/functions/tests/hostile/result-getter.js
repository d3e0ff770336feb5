// Returns an object whose getter throws.
export default () => ({ get a() { throw new RangeError("getter"); } });
