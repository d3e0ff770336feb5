// attack: Compiles a regular expression of three hundred names, and of a hundred thousand.
// limit: cpu
// ends: function_error/thrown
// ends: cpu_limit
export default () => { for (const n of [300, 100_000]) new RegExp(Array.from({ length: n }, (_, i) => `(?<n${i}>a)?`).join("")).test("a"); };
