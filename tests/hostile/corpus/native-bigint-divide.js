// attack: Divides numbers of hundreds of thousands of bits, over and over.
// limit: cpu
// ends: cpu_limit
export default () => { const a = (1n << 400_000n) - 1n; const b = (1n << 200_000n) - 3n; for (;;) { a / b; a % b; } };
