// attack: Parses a million JSON objects inside one another.
// limit: none
// ends: function_error/thrown
export default () => JSON.parse('{"a":'.repeat(1_000_000));
