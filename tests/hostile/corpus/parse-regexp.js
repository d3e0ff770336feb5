// attack: A regular expression of a hundred thousand groups.
// limit: none
// ends: function_error/thrown
export default () => new RegExp("(".repeat(100_000) + ")".repeat(100_000)).test("");
