// attack: Sorts for ever by a comparison that contradicts itself.
// limit: cpu
// ends: cpu_limit
export default () => { const a = Array.from({ length: 1000 }, (_, i) => i); let n = 0; for (;;) a.sort(() => (n++ % 3) - 1); };
