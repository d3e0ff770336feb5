// attack: Spreads a long text into its code points.
// limit: none
// ends: memory_limit
export default () => [..."\u{1f600}".repeat(5_000_000)].length;
