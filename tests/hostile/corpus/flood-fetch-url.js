// attack: Fetches from an address of three million characters.
// limit: none
// ends: function_error/thrown
export default () => fetch(`https://venue.example/${"x".repeat(3_000_000)}`);
