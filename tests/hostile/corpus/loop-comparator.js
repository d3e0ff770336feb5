// attack: Sorts by a comparison that never ends.
// limit: cpu
// ends: cpu_limit
export default () => [3, 2, 1].sort(() => { for (;;); });
