// Applies a function to a million arguments.
export default () => String.fromCharCode.apply(null, new Array(1_000_000).fill(65)).length;
