// Spreads ten million arguments.
export default () => Math.max(...new Array(10_000_000).fill(1));
