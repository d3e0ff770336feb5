// A regular expression with nested quantifiers and a huge count.
export default () => new RegExp("(?:a{1000}){1000}b").test("a".repeat(100_000));
