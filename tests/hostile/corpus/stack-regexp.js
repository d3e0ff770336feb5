// attack: Matches an expression that is nested as deep as it may be.
// limit: none
// ends: function_error/thrown
// ends: output false
// ends: cpu_limit
export default () => new RegExp("(?:".repeat(5000) + "a" + ")*".repeat(5000)).test("b");
