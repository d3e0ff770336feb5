// attack: A regular expression with nested quantifiers and a huge count.
// limit: cpu
// ends: cpu_limit
export default () => new RegExp("(?:a{1000}){1000}b").test("a".repeat(100_000));
