// The JSON form of four thousand million holes.
export default () => new Array(2 ** 32 - 1);
