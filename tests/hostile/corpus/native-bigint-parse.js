// attack: Reads a number of ten million digits.
// limit: cpu
// ends: cpu_limit
// ends: function_error/thrown
export default () => BigInt("9".repeat(10_000_000)) > 0n;
