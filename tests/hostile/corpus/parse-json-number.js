// attack: Parses a number of ten million digits.
// limit: none
// ends: output true
export default () => Number("9".repeat(10_000_000)) === Infinity;
