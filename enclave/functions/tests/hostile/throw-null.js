// Throws null.
export default () => { throw null; };
