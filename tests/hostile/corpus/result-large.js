// attack: Returns five million characters.
// limit: none
// ends: output_limit
export default () => "x".repeat(5_000_000);
