// attack: Throws a number without an end.
// limit: none
// ends: function_error/thrown
export default () => { throw 10n ** 100_000n; };
