// attack: Fits in characters but not in bytes.
// limit: none
// ends: output_limit
export default () => "\u20ac".repeat(50_000);
