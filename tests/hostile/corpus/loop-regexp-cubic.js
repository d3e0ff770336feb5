// attack: Matches what takes the cube of the text's length.
// limit: cpu
// ends: cpu_limit
export default () => /a*a*a*a*b/.test("a".repeat(20_000));
