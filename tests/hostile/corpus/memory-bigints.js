// attack: Keeps large numbers.
// limit: none
// ends: memory_limit
export default () => { const all = []; for (let i = 0n;; i++) all.push((1n << 100_000n) + i); };
