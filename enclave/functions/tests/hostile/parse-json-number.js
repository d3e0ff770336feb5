// Parses a number of ten million digits.
export default () => Number("9".repeat(10_000_000)) === Infinity;
