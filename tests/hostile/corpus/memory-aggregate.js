// attack: Throws a million errors as one.
// limit: none
// ends: memory_limit
// ends: function_error/thrown
export default () => { throw new AggregateError(Array.from({ length: 1_000_000 }, () => new Error("x"))); };
