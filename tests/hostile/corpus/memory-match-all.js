// attack: Collects every match of a long text.
// limit: none
// ends: memory_limit
export default () => [..."x".repeat(2_000_000).matchAll(/x/g)].length;
