// Fits in characters but not in bytes.
export default () => "\u20ac".repeat(50_000);
